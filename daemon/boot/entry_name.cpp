// SPDX-License-Identifier: Apache-2.0
#include "boot/entry_name.hpp"

#include <algorithm>
#include <charconv>

namespace cfs::boot {
namespace {

constexpr std::string_view kSuffix = ".efi";
constexpr std::size_t kMaxFileName = 255;
constexpr std::size_t kMaxPart = 64;
constexpr std::size_t kSerialDigits = 6;
constexpr std::size_t kImageDigits = 8;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_stem_char(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '_' || c == '-';
}

/// Decimal digits only, no sign, no overflow.
template <typename T>
std::optional<T> parse_number(std::string_view text) {
    T value = 0;
    if (text.empty() || !is_digit(text.front())) return std::nullopt;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return value;
}

/// "3-0" or "3".
std::optional<Counter> parse_counter(std::string_view text) {
    const auto dash = text.find('-');
    const auto left = parse_number<unsigned>(text.substr(0, dash));
    if (!left) return std::nullopt;
    if (dash == std::string_view::npos) return Counter{*left, 0};
    const auto done = parse_number<unsigned>(text.substr(dash + 1));
    if (!done) return std::nullopt;
    return Counter{*left, *done};
}

std::string stem_part(std::string_view text, std::string_view fallback) {
    std::string out = lower_case((text.empty() ? fallback : text).substr(0, kMaxPart));
    std::replace_if(
        out.begin(), out.end(), [](char c) { return !is_stem_char(c); }, '_');
    return out;
}

std::string padded(std::uint64_t number) {
    std::string digits = std::to_string(number);
    if (digits.size() < kSerialDigits) digits.insert(0, kSerialDigits - digits.size(), '0');
    return digits;
}

bool is_image_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

}  // namespace

std::string lower_case(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), lower);
    return out;
}

bool same_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return lower(x) == lower(y);
    });
}

bool is_skipped_name(std::string_view file) {
    return file.starts_with('.') || same_name(file.substr(0, 5), "auto-");
}

std::optional<EntryName> parse_entry_name(std::string_view file) {
    if (file.size() <= kSuffix.size()) return std::nullopt;
    if (!same_name(file.substr(file.size() - kSuffix.size()), kSuffix)) return std::nullopt;
    file.remove_suffix(kSuffix.size());
    const auto plus = file.rfind('+');
    if (plus != std::string_view::npos && plus > 0) {
        if (const auto counter = parse_counter(file.substr(plus + 1))) {
            return EntryName{std::string(file.substr(0, plus)), counter};
        }
    }
    return EntryName{std::string(file), std::nullopt};
}

std::string format_entry_name(const EntryName& name) {
    std::string out = name.stem;
    if (name.counter) {
        out += "+" + std::to_string(name.counter->left) + "-" + std::to_string(name.counter->done);
    }
    return out.append(kSuffix);
}

bool is_safe_entry_file(std::string_view file) {
    if (file.size() > kMaxFileName || is_skipped_name(file)) return false;
    if (file.size() <= kSuffix.size() || !file.ends_with(kSuffix)) return false;
    return std::all_of(
        file.begin(), file.end(), [](char c) { return is_stem_char(c) || c == '+'; });
}

std::string make_stem(std::string_view id,
                      std::string_view version,
                      std::uint64_t serial,
                      const Digest& image) {
    std::string name = stem_part(id, "linux");
    if (name.front() == '.') name.front() = '_';
    if (is_skipped_name(name)) name[4] = '_';
    return name + "_" + stem_part(version, "0") + "-" + padded(serial) + "-" +
           image.hex().substr(0, kImageDigits);
}

std::optional<StemTail> parse_stem(std::string_view stem) {
    if (!std::all_of(stem.begin(), stem.end(), is_stem_char)) return std::nullopt;
    const auto last = stem.rfind('-');
    if (last == std::string_view::npos || last == 0) return std::nullopt;
    const auto middle = stem.rfind('-', last - 1);
    if (middle == std::string_view::npos) return std::nullopt;
    const std::string_view image = stem.substr(last + 1);
    const std::string_view digits = stem.substr(middle + 1, last - middle - 1);
    const auto serial = parse_number<std::uint64_t>(digits);
    const bool named = stem.substr(0, middle).find('_') != std::string_view::npos;
    if (!named || !serial || digits.size() < kSerialDigits) return std::nullopt;
    if (image.size() != kImageDigits || !std::all_of(image.begin(), image.end(), is_image_digit)) {
        return std::nullopt;
    }
    return StemTail{*serial, std::string(image)};
}

}  // namespace cfs::boot
