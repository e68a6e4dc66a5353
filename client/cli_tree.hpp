// SPDX-License-Identifier: Apache-2.0
/// \file The option tree and the pieces that several verbs' options are made of. Internal to the
/// command line.
#pragma once

#include "client/options.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>

namespace cfs::client {

/// Options write into the verb's struct; the verb that was given leaves its struct in take().
class VerbTree {
 public:
    VerbTree() = default;
    VerbTree(const VerbTree&) = delete;
    VerbTree& operator=(const VerbTree&) = delete;

    CLI::App& app() { return app_; }

    Global& global() { return global_; }

    CommandLine take() { return {global_, verb_()}; }

    /// A subcommand whose options fill a T that lives as long as the tree.
    template <typename T>
    std::pair<CLI::App*, T*> verb(CLI::App& parent, const std::string& name, const char* help) {
        auto options = std::make_shared<T>();
        CLI::App* sub = parent.add_subcommand(name, help);
        sub->callback([this, options] { verb_ = [options] { return Verb(*options); }; });
        return {sub, options.get()};
    }

    template <typename T>
    void plain_verb(const std::string& name, const char* help) {
        verb<T>(app_, name, help);
    }

 private:
    CLI::App app_{"Update client for image-based Linux with composefs roots", "cfsctl"};
    Global global_;
    std::function<Verb()> verb_;
};

/// An option with a fixed set of words.
template <typename T>
CLI::Option* add_choice(CLI::App& app,
                        const std::string& flag,
                        std::function<void(T)> set,
                        const std::vector<std::pair<std::string, T>>& choices,
                        const std::string& help) {
    std::vector<std::string> words;
    for (const auto& [word, value] : choices)
        words.push_back(word);
    return app
        .add_option_function<std::string>(
            flag,
            [set = std::move(set), choices](const std::string& text) {
                for (const auto& [word, value] : choices) {
                    if (word == text) set(value);
                }
            },
            help)
        ->check(CLI::IsMember(words))
        ->type_name(CLI::detail::join(words, "|"))
        ->option_text(CLI::detail::join(words, "|"));
}

inline constexpr const char* kOciSourceHelp =
    "oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker://HOST/NAME[:TAG]";

void add_source(CLI::App& app, std::string& source, const char* help = kOciSourceHelp);
void add_reach(CLI::App& app, SourceOptions& reach);

/// `cfsctl image ...`.
void add_image_verbs(VerbTree& tree);

/// What is wrong with the options of an image verb; empty when nothing is, or for other verbs.
[[nodiscard]] std::string image_verb_problem(const Verb& verb);

}  // namespace cfs::client
