// SPDX-License-Identifier: Apache-2.0
/// \file Internal to the dump reader.
#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace cfs::image {

/// Cuts what it reads into lines.
class LineSource {
 public:
    explicit LineSource(Source& source) : source_(source), buffer_(kStart) {}

    /// False at the end. The line lives until the next call.
    bool next(std::string_view& line, std::size_t number) {
        for (std::size_t seen = 0;;) {
            const std::string_view rest = as_text(ByteView(buffer_)).substr(begin_, size_);
            const auto end = rest.find('\n', seen);
            terminated_ = end != rest.npos;
            if (terminated_ || (done_ && !rest.empty())) {
                line = rest.substr(0, end);
                const std::size_t used = std::min(line.size() + 1, size_);
                begin_ += used;
                size_ -= used;
                return true;
            }
            if (done_) return false;
            seen = size_;
            fill(number);
        }
    }

    [[nodiscard]] bool terminated() const { return terminated_; }

 private:
    static constexpr std::size_t kStart = std::size_t{256} * 1024;
    static constexpr std::size_t kMaxLine = std::size_t{16} << 20;

    void fill(std::size_t number) {
        std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), size_, buffer_.begin());
        begin_ = 0;
        if (size_ == buffer_.size()) {
            if (size_ >= kMaxLine) {
                throw Error(ErrorCode::BadFormat,
                            "dump line " + std::to_string(number) + ", column 1: the line has " +
                                std::to_string(size_) + " bytes or more");
            }
            buffer_.resize(2 * size_);
        }
        const std::size_t n = source_.read(std::span(buffer_).subspan(size_));
        size_ += n;
        done_ = n == 0;
    }

    Source& source_;
    Bytes buffer_;
    std::size_t begin_ = 0;
    std::size_t size_ = 0;
    bool done_ = false;
    bool terminated_ = false;
};

}  // namespace cfs::image
