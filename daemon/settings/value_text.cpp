// SPDX-License-Identifier: Apache-2.0
// Values of keys as messages show them.
#include "base/quoted.hpp"
#include "settings/keys.hpp"

namespace cfs::settings {
namespace {

constexpr std::size_t kMaxShown = 120;

}  // namespace

std::string list_in_quotes(const std::vector<std::string>& items) {
    std::string out = "[";
    for (const std::string& item : items)
        out += (out.size() > 1 ? ", " : "") + quoted(item, HighBytes::Keep);
    return out + "]";
}

std::string describe(const Value& value) {
    struct {
        std::string operator()(bool flag) const { return flag ? "true" : "false"; }

        std::string operator()(std::int64_t number) const { return std::to_string(number); }

        std::string operator()(const std::string& text) const {
            return quoted(text, HighBytes::Keep);
        }

        std::string operator()(const std::vector<std::string>& items) const {
            return list_in_quotes(items);
        }

        std::string operator()(const OtherValue& other) const { return "a " + other.kind; }
    } visitor;
    std::string text = std::visit(visitor, value);
    if (text.size() > kMaxShown) text = text.substr(0, kMaxShown) + "...";
    return text;
}

}  // namespace cfs::settings
