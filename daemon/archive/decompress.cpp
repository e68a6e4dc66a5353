// SPDX-License-Identifier: Apache-2.0
#include "archive/decompress.hpp"

#include "archive/input_buffer.hpp"
#include "base/error.hpp"

namespace cfs::archive {
namespace {

/// Passes `inner` on until more than `limit` bytes came out of it.
class LimitedSource final : public Source {
 public:
    /// \param owned what `inner` refers to, or null when the caller owns it
    LimitedSource(std::unique_ptr<Source> owned, Source& inner, std::uint64_t limit)
        : owned_(std::move(owned)), inner_(inner), limit_(limit), left_(limit) {}

    std::size_t read(std::span<std::uint8_t> buffer) override {
        const std::size_t count = inner_.read(buffer);
        if (count > left_) {
            throw Error(ErrorCode::BadFormat,
                        "unpacks to more than the " + std::to_string(limit_) + " bytes allowed",
                        "the image is broken or hostile: do not install it; check its reference");
        }
        left_ -= count;
        return count;
    }

 private:
    std::unique_ptr<Source> owned_;
    Source& inner_;
    std::uint64_t limit_;
    std::uint64_t left_;
};

std::unique_ptr<Source> decompressor(Source& input, Compression compression) {
    switch (compression) {
        case Compression::Gzip:
            return gzip_source(input);
        case Compression::Zstd:
            return zstd_source(input);
        case Compression::None:
            break;
    }
    return nullptr;
}

}  // namespace

std::string looks_like(ByteView start, Compression expected) {
    const auto found = sniff_compression(start);
    if (!found || *found == expected) return {};
    return "; they look like " + std::string(to_string(*found));
}

std::unique_ptr<Source> decompress(Source& input,
                                   Compression compression,
                                   std::uint64_t max_output) {
    std::unique_ptr<Source> owned = decompressor(input, compression);
    Source& inner = owned ? *owned : input;
    return std::make_unique<LimitedSource>(std::move(owned), inner, max_output);
}

}  // namespace cfs::archive
