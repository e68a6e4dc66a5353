// SPDX-License-Identifier: Apache-2.0
#include "client/report/command_line.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace cfs::client {
namespace {

constexpr const char* kKey = "cmdline";

/// Ours, and what says which root is mounted how.
bool is_known(std::string_view key) {
    return key.starts_with("composefs") || key == "root" || key == "rootflags" ||
           key == "console" || key == "panic";
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words)
        out += (out.empty() ? "" : " ") + word;
    return out;
}

/// \return whether there was one
bool hide_arguments(boost::json::value& value) {
    bool found = false;
    if (value.is_array()) {
        for (boost::json::value& each : value.as_array())
            found = hide_arguments(each) || found;
    } else if (value.is_object()) {
        for (auto& each : value.as_object()) {
            if (each.key() != kKey) {
                found = hide_arguments(each.value()) || found;
                continue;
            }
            found = true;
            const bool is_text = each.value().is_string();
            each.value() =
                is_text ? joined(shown_arguments(std::string_view(each.value().as_string().data(),
                                                                  each.value().as_string().size())))
                        : "...";
        }
    }
    return found;
}

}  // namespace

std::vector<std::string> shown_arguments(std::string_view cmdline) {
    std::vector<std::string> out;
    while (!cmdline.empty() && cmdline.back() == '\n')
        cmdline.remove_suffix(1);
    for (std::size_t at = 0; at < cmdline.size();) {
        const std::size_t end = std::min(cmdline.find(' ', at), cmdline.size());
        const std::string word(cmdline.substr(at, end - at));
        const std::size_t equals = word.find('=');
        const std::string key = word.substr(0, equals);
        if (!word.empty())
            out.push_back(is_known(key) || equals == std::string::npos ? word : key + "=...");
        at = end + 1;
    }
    return out;
}

std::string without_arguments(std::string json) {
    boost::system::error_code failed;
    boost::json::value value = boost::json::parse(json, failed);
    if (failed) return json.find(kKey) == std::string::npos ? json : "(damaged: not shown)\n";
    // As it was written, where there is nothing to hide.
    if (!hide_arguments(value)) return json;
    return boost::json::serialize(value) + "\n";
}

}  // namespace cfs::client
