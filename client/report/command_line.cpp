// SPDX-License-Identifier: Apache-2.0
#include "client/report/command_line.hpp"

#include "uki/cmdline.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace cfs::client {
namespace {

constexpr const char* kKey = "cmdline";
constexpr const char* kHidden = "...";

/// Ours, and what says which root is mounted how.
bool is_known(std::string_view key) {
    return key == "composefs" || key.starts_with("composefs.") || key == "root" ||
           key == "rootflags" || key == "console" || key == "panic";
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words)
        out += (out.empty() ? "" : " ") + word;
    return out;
}

bool looks_like_a_name(std::string_view word) {
    constexpr std::size_t kLongest = 40;
    return !word.empty() && word.size() <= kLongest && is_letter(word.front()) &&
           std::all_of(word.begin(), word.end(), [](char c) {
               return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-';
           });
}

/// Behind the word that begins at `at`. The kernel splits what stands in single quotes, which
/// systemd takes as one: what follows is a value and no name.
std::size_t behind_quotes(const std::vector<std::string_view>& words, std::size_t at) {
    const auto opens = [](std::string_view word) {
        return std::count(word.begin(), word.end(), '\'') % 2 != 0;
    };
    if (!opens(words[at])) return at + 1;
    for (std::size_t i = at + 1; i < words.size(); ++i) {
        if (opens(words[i])) return i + 1;
    }
    return at + 1;  // an apostrophe
}

/// \param is_one it does not go on behind its end
std::string shown(std::string_view word, bool is_one) {
    if (word == "--") return std::string(word);
    const std::size_t equals = word.find('=');
    std::string_view key = word.substr(0, equals);
    if (key.starts_with('"') || key.starts_with('\'')) key.remove_prefix(1);
    const bool whole = is_one && word.find_first_of(" \t\r\n\v\f") == std::string_view::npos;
    if (whole && equals != std::string_view::npos && is_known(key)) return std::string(word);
    if (!looks_like_a_name(key)) return kHidden;
    if (equals == std::string_view::npos) return whole ? std::string(key) : kHidden;
    // Base64 ends like that, and is all value.
    const bool has_value = word.find_first_not_of('=', equals) != std::string_view::npos;
    return has_value ? std::string(key) + "=" + kHidden : kHidden;
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
                        : kHidden;
        }
    }
    return found;
}

}  // namespace

std::vector<std::string> shown_arguments(std::string_view cmdline) {
    std::vector<std::string> out;
    const auto words = uki::split_cmdline(cmdline);
    for (std::size_t i = 0; i < words.size(); i = behind_quotes(words, i)) {
        const bool is_one = behind_quotes(words, i) == i + 1;
        out.push_back(shown(words[i], is_one));
        if (words[i] != "--") continue;
        if (i + 1 < words.size()) out.emplace_back(kHidden);  // what init is started with
        break;
    }
    return out;
}

std::vector<std::string> hidden_arguments(std::string_view cmdline) {
    std::vector<std::string> out;
    for (const std::string_view word : uki::split_cmdline(cmdline)) {
        const bool has_value = word.find('=') != std::string_view::npos;
        if (has_value && shown(word, true) != word) out.emplace_back(word);
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
