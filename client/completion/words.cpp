// SPDX-License-Identifier: Apache-2.0
#include "client/completion/words.hpp"

#include <algorithm>
#include <cctype>
#include <map>

namespace cfs::client {

ValueKind value_kind(const OptionHelp& option) {
    if (option.value.empty()) return ValueKind::None;
    if (option.value == "DIR") return ValueKind::Directory;
    if (option.value == "FILE" || option.value == "CERT") return ValueKind::File;
    return option.value.find('|') == std::string::npos ? ValueKind::Text : ValueKind::Words;
}

std::string value_words(const OptionHelp& option) {
    std::string out = option.value;
    std::replace(out.begin(), out.end(), '|', ' ');
    return out;
}

std::string words_after(const VerbHelp& verb) {
    std::string out;
    for (const std::string& sub : verb.subverbs)
        out += sub + " ";
    if (verb.name == "completion") out += "bash zsh fish ";
    for (const OptionHelp& option : verb.options)
        out += option.flag + " ";
    return out.substr(0, out.find_last_not_of(' ') + 1);
}

std::vector<OptionHelp> all_options() {
    std::map<std::string, OptionHelp> by_flag;
    for (const VerbHelp& verb : list_verbs()) {
        for (const OptionHelp& option : verb.options)
            by_flag.emplace(option.flag, option);
    }
    std::vector<OptionHelp> out;
    for (const auto& [flag, option] : by_flag)
        out.push_back(option);
    return out;
}

std::string function_name(const std::string& program) {
    std::string out = "_" + program;
    std::replace_if(
        out.begin(),
        out.end(),
        [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; },
        '_');
    return out;
}

}  // namespace cfs::client
