// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace cfs::image {

/// A file's name, 1 to 255 bytes. Nearly all names fit in place, where std::string would keep half
/// of them elsewhere: directories are walked several times for one image.
class Name {
 public:
    /// \pre text.size() <= 255
    explicit Name(std::string_view text) : size_(static_cast<std::uint8_t>(text.size())) {
        // Not assert(): that would put the path of this file on the building machine into programs.
        if (text.size() > 255) std::abort();
        char* place = place_;
        if (size_ > sizeof place_) {
            place = new char[size_];
            std::memcpy(place_, &place, sizeof place);
        }
        std::copy(text.begin(), text.end(), place);
    }

    /// The other one is empty then.
    Name(Name&& other) noexcept { take(other); }

    Name& operator=(Name&& other) noexcept {
        if (this == &other) return *this;
        drop();
        take(other);
        return *this;
    }

    ~Name() { drop(); }

    [[nodiscard]] std::string_view view() const {
        return {size_ > sizeof place_ ? far() : place_, size_};
    }

    /// Negative, 0 or positive.
    [[nodiscard]] int compare(const Name& other) const { return view().compare(other.view()); }

    operator std::string_view() const { return view(); }  // NOLINT: it is one

    friend std::string operator+(std::string text, const Name& name) {
        return std::move(text.append(name.view()));
    }

    friend bool operator==(const Name& name, std::string_view text) { return name.view() == text; }

    friend auto operator<=>(const Name& name, std::string_view text) {
        return name.view() <=> text;
    }

 private:
    [[nodiscard]] char* far() const {
        char* place = nullptr;
        std::memcpy(&place, place_, sizeof place);
        return place;
    }

    void take(Name& other) noexcept {
        std::memcpy(place_, other.place_, sizeof place_);
        size_ = other.size_;
        other.size_ = 0;
    }

    void drop() noexcept {
        if (size_ > sizeof place_) delete[] far();
    }

    char place_[31];  ///< the name itself, or where it is
    std::uint8_t size_;
};

}  // namespace cfs::image
