// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

namespace cfs::image {

/// Memory for many short texts that live as long as the arena. They never move.
class TextArena {
 public:
    [[nodiscard]] std::string_view keep(std::string_view text) {
        if (chunks_.empty() || capacity_ - used_ < text.size()) {
            capacity_ = std::max(kChunk, text.size());
            chunks_.push_back(std::make_unique<char[]>(capacity_));
            used_ = 0;
        }
        char* place = chunks_.back().get() + used_;
        std::copy(text.begin(), text.end(), place);
        used_ += text.size();
        return {place, text.size()};
    }

 private:
    static constexpr std::size_t kChunk = std::size_t{64} * 1024;

    std::vector<std::unique_ptr<char[]>> chunks_;
    std::size_t used_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace cfs::image
