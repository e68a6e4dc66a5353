// SPDX-License-Identifier: Apache-2.0
// Any bytes as a splitstream: refused with an Error, or read within the limits.
#include "base/error.hpp"
#include "store/splitstream.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

using namespace cfs;

constexpr std::uint64_t kMaxTotal = std::uint64_t{1} << 20;

class Bounded final : public store::SplitstreamVisitor {
 public:
    void literal(ByteView data) override { add(data.size()); }

    void external(const Digest&, std::uint64_t size) override { add(size); }

 private:
    void add(std::uint64_t size) {
        total_ += size;
        if (total_ > kMaxTotal) std::abort();
    }

    std::uint64_t total_ = 0;
};

void read_all(ByteView file, HashAlgorithm algorithm) {
    store::SplitstreamLimits limits;
    limits.max_total_bytes = kMaxTotal;
    limits.max_named_refs_bytes = kMaxTotal;
    try {
        const store::SplitstreamReader reader(file, algorithm, limits);
        (void)reader.named_refs();
        Bounded visitor;
        reader.read([](const Digest& digest) { return std::uint64_t{digest.bytes()[0]}; }, visitor);
    } catch (const Error& e) {
        if (e.code() != ErrorCode::BadFormat) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    read_all({data, size}, HashAlgorithm::Sha256);
    read_all({data, size}, HashAlgorithm::Sha512);
    return 0;
}
