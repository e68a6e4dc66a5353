// SPDX-License-Identifier: Apache-2.0
// First byte: g gzip, else zstd. The same input in one piece and in small pieces must give the same
// bytes or both fail.
#include "archive/decompress.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace {

using namespace cfs;

class PieceSource final : public Source {
 public:
    PieceSource(ByteView data, std::size_t piece) : rest_(data), piece_(piece) {}

    std::size_t read(std::span<std::uint8_t> buffer) override {
        const std::size_t count = std::min({buffer.size(), rest_.size(), piece_});
        std::copy_n(rest_.begin(), count, buffer.begin());
        rest_ = rest_.subspan(count);
        return count;
    }

 private:
    ByteView rest_;
    std::size_t piece_;
};

std::optional<Bytes> unpack(ByteView data,
                            archive::Compression kind,
                            std::size_t piece,
                            std::size_t room) {
    constexpr std::uint64_t kLimit = 200'000;
    PieceSource source(data, piece);
    const auto stream = archive::decompress(source, kind, kLimit);
    Bytes out;
    Bytes buffer(room);
    try {
        while (const std::size_t count = stream->read(buffer)) {
            out.insert(out.end(), buffer.begin(), buffer.begin() + static_cast<long>(count));
        }
    } catch (const Error& e) {
        if (e.code() != ErrorCode::BadFormat) std::abort();
        return std::nullopt;
    }
    if (out.size() > kLimit) std::abort();
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto kind = data[0] == 'g' ? archive::Compression::Gzip : archive::Compression::Zstd;
    const ByteView packed(data + 1, size - 1);
    if (unpack(packed, kind, size, 65536) != unpack(packed, kind, 13, 777)) std::abort();
    return 0;
}
