// SPDX-License-Identifier: Apache-2.0
/// \file Reading our own JSON records: a missing or odd member reads as its default, because a
/// record of a newer or older version must never stop a machine from booting or updating.
#pragma once

#include "base/bytes.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cfs::update {

/// nullopt when `text` is not one JSON object.
[[nodiscard]] inline std::optional<boost::json::object> parse_object(std::string_view text) {
    boost::system::error_code failed;
    boost::json::value value =
        boost::json::parse(boost::json::string_view(text.data(), text.size()), failed);
    if (failed || !value.is_object()) return std::nullopt;
    return std::move(value.as_object());
}

[[nodiscard]] inline std::string get_string(const boost::json::object& object,
                                            std::string_view key) {
    const auto* value = object.if_contains(boost::json::string_view(key.data(), key.size()));
    if (value == nullptr || !value->is_string()) return {};
    return std::string(value->as_string());
}

[[nodiscard]] inline std::uint64_t get_number(const boost::json::object& object,
                                              std::string_view key) {
    const auto* value = object.if_contains(boost::json::string_view(key.data(), key.size()));
    boost::system::error_code failed;
    if (value == nullptr || !value->is_number()) return 0;
    const auto number = value->to_number<std::uint64_t>(failed);
    return failed ? 0 : number;
}

[[nodiscard]] inline bool get_bool(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(boost::json::string_view(key.data(), key.size()));
    return value != nullptr && value->is_bool() && value->as_bool();
}

}  // namespace cfs::update
