// SPDX-License-Identifier: Apache-2.0
#include "client/completion/completion.hpp"
#include "client/completion/words.hpp"

#include <sstream>

namespace cfs::client {
namespace {

/// Cases that turn "<verb so far> <word>" into the verb with that word.
std::string verb_cases() {
    std::ostringstream out;
    for (const VerbHelp& verb : list_verbs()) {
        if (verb.name.empty()) continue;
        const std::string top = verb.name.find(' ') == std::string::npos ? " " : "";
        out << "            \"" << top << verb.name << "\") verb=\"" << verb.name << "\" ;;\n";
    }
    return out.str();
}

/// Cases that put the words after a verb into the shell variable `variable`.
std::string word_cases(const char* variable) {
    std::ostringstream out;
    for (const VerbHelp& verb : list_verbs()) {
        out << "        \"" << verb.name << "\") " << variable << "=\"" << words_after(verb)
            << "\" ;;\n";
    }
    return out.str();
}

/// Cases that complete the value of a flag; '@' in `words` stands for the possible ones.
std::string value_cases(const char* words, const char* file, const char* directory) {
    std::ostringstream out;
    for (const OptionHelp& option : all_options()) {
        std::string action;
        switch (value_kind(option)) {
            case ValueKind::None:
                continue;
            case ValueKind::Words:
                action = words;
                action.replace(action.find('@'), 1, value_words(option));
                break;
            case ValueKind::File:
                action = file;
                break;
            case ValueKind::Directory:
                action = directory;
                break;
            case ValueKind::Text:
                action = "return";
                break;
        }
        out << "        " << option.flag << ") " << action << " ;;\n";
    }
    return out.str();
}

}  // namespace

std::string bash_completion(const std::string& program) {
    const std::string function = function_name(program);
    return "# bash completion of " + program + "\n" + function +
           "() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
           "    local i verb=\"\" words=\"\"\n"
           "    COMPREPLY=()\n"
           "    case $prev in\n" +
           value_cases("COMPREPLY=($(compgen -W \"@\" -- \"$cur\")); return",
                       "COMPREPLY=($(compgen -f -- \"$cur\")); return",
                       "COMPREPLY=($(compgen -d -- \"$cur\")); return") +
           "    esac\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        case \"$verb ${COMP_WORDS[i]}\" in\n" +
           verb_cases() +
           "        esac\n"
           "    done\n"
           "    case $verb in\n" +
           word_cases("words") +
           "    esac\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
           "}\n"
           "complete -o default -F " +
           function + " " + program + "\n";
}

std::string zsh_completion(const std::string& program) {
    return "#compdef " + program +
           "\n"
           "# zsh completion\n" +
           function_name(program) +
           "() {\n"
           "    local i verb=\"\" list=\"\"\n"
           "    case ${words[CURRENT-1]} in\n" +
           value_cases("compadd -- @; return", "_files; return", "_files -/; return") +
           "    esac\n"
           "    for ((i = 2; i < CURRENT; i++)); do\n"
           "        case \"$verb ${words[i]}\" in\n" +
           verb_cases() +
           "        esac\n"
           "    done\n"
           "    case $verb in\n" +
           word_cases("list") +
           "    esac\n"
           "    compadd -- ${=list}\n"
           "    [[ $verb == \"image \"* ]] && _files\n"
           "}\n" +
           function_name(program) + " \"$@\"\n";
}

}  // namespace cfs::client
