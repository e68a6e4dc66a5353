// SPDX-License-Identifier: Apache-2.0
#include "client/completion/completion.hpp"
#include "client/completion/words.hpp"

#include <sstream>

namespace cfs::client {
namespace {

std::string in_quotes(const std::string& text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

std::string value_flags(const OptionHelp& option) {
    switch (value_kind(option)) {
        case ValueKind::None:
            return {};
        case ValueKind::Words:
            return " -x -a " + in_quotes(value_words(option));
        case ValueKind::File:
            return " -r -F";
        case ValueKind::Directory:
            return " -x -a '(__fish_complete_directories)'";
        case ValueKind::Text:
            return " -x";
    }
    return {};
}

std::string help_of(const std::string& name) {
    for (const VerbHelp& verb : list_verbs()) {
        if (verb.name == name) return verb.help;
    }
    return {};
}

void write_verb(std::ostream& out, const std::string& program, const VerbHelp& verb) {
    // Global options go anywhere, the rest behind its verb.
    const std::string where = "complete -c " + program;
    const std::string at =
        " -n " + in_quotes(function_name(program) + "_at " + in_quotes(verb.name));
    for (const std::string& sub : verb.subverbs) {
        const std::string full = verb.name.empty() ? sub : verb.name + " " + sub;
        out << where << at << " -f -a " << sub << " -d " << in_quotes(help_of(full)) << "\n";
    }
    if (verb.name == "completion") out << where << at << " -f -a 'bash zsh fish'\n";
    for (const OptionHelp& option : verb.options) {
        out << where << (verb.name.empty() ? "" : at) << " -l " << option.flag.substr(2)
            << value_flags(option) << " -d " << in_quotes(option.help) << "\n";
    }
}

}  // namespace

std::string fish_completion(const std::string& program) {
    std::ostringstream out;
    out << "# fish completion of " << program << "\n"
        << "function " << function_name(program) << "_at\n"
        << "    set -l verb\n"
        << "    for word in (commandline -opc)[2..-1]\n"
        << "        switch \"$verb $word\"\n";
    for (const VerbHelp& verb : list_verbs()) {
        if (verb.name.empty()) continue;
        const std::string top = verb.name.find(' ') == std::string::npos ? " " : "";
        out << "            case " << in_quotes(top + verb.name) << "\n"
            << "                set verb " << in_quotes(verb.name) << "\n";
    }
    out << "        end\n"
        << "    end\n"
        << "    test \"$verb\" = \"$argv[1]\"\n"
        << "end\n";
    for (const VerbHelp& verb : list_verbs())
        write_verb(out, program, verb);
    return out.str();
}

}  // namespace cfs::client
