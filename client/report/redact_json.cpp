// SPDX-License-Identifier: Apache-2.0
#include "client/report/redact.hpp"

#include <boost/json.hpp>

namespace cfs::client {
namespace {

std::string_view view(const boost::json::string& text) {
    return {text.data(), text.size()};
}

boost::json::value without_secrets(const Redactor& redactor, const boost::json::value& value) {
    if (value.is_string()) return boost::json::value(redactor.redacted(view(value.as_string())));
    if (value.is_array()) {
        boost::json::array out;
        for (const boost::json::value& each : value.as_array())
            out.push_back(without_secrets(redactor, each));
        return out;
    }
    if (!value.is_object()) return value;
    boost::json::object out;
    for (const auto& each : value.as_object()) {
        const std::string_view key(each.key().data(), each.key().size());
        const bool is_plain = each.value().is_null() || each.value().is_bool();
        out[redactor.redacted(key)] = names_a_secret(key) && !is_plain
                                          ? boost::json::value(kGone)
                                          : without_secrets(redactor, each.value());
    }
    return out;
}

}  // namespace

std::string Redactor::redacted_json(std::string_view text) const {
    boost::system::error_code failed;
    const boost::json::value value =
        boost::json::parse(boost::json::string_view(text.data(), text.size()), failed);
    if (failed) return redacted(text);
    return boost::json::serialize(without_secrets(*this, value)) +
           (text.ends_with('\n') ? "\n" : "");
}

}  // namespace cfs::client
