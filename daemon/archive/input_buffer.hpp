// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive/decompress.hpp"
#include "base/bytes.hpp"

#include <memory>

namespace cfs::archive {

/// The compressed side of a decompressor: a window on `input` that is refilled when it is empty.
class InputBuffer {
 public:
    explicit InputBuffer(Source& input) : input_(input), buffer_(kSize) {}

    /// What is there; after refill() empty only at the end.
    [[nodiscard]] std::span<std::uint8_t> rest() { return rest_; }

    void consume(std::size_t count) { rest_ = rest_.subspan(count); }

    /// Reads more if nothing is left. False at the end of the input.
    bool refill() {
        if (rest_.empty()) rest_ = std::span(buffer_).first(input_.read(buffer_));
        return !rest_.empty();
    }

 private:
    static constexpr std::size_t kSize = std::size_t{128} * 1024;

    Source& input_;
    Bytes buffer_;
    std::span<std::uint8_t> rest_;
};

[[nodiscard]] std::unique_ptr<Source> gzip_source(Source& input);
[[nodiscard]] std::unique_ptr<Source> zstd_source(Source& input);

/// " (they look like zstd)" when `start` begins with another kind's magic, else empty.
[[nodiscard]] std::string looks_like(ByteView start, Compression expected);

}  // namespace cfs::archive
