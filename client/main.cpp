// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "client/commands/commands.hpp"
#include "client/output/human.hpp"
#include "client/output/json.hpp"
#include "client/output/result_text.hpp"
#include "client/output/terminal.hpp"

#include <unistd.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <type_traits>

namespace {

using namespace cfs::client;

/// What to do next when the place that failed could not say.
std::string default_hint(cfs::ErrorCode code) {
    switch (code) {
        case cfs::ErrorCode::NotFound:
            return "check the name, and that it exists";
        case cfs::ErrorCode::AccessDenied:
            return "run this as root";
        case cfs::ErrorCode::Cancelled:
            return "run it again: what was fetched is not fetched twice";
        case cfs::ErrorCode::Internal:
            return "run it again; if it stays so, report it with this text";
        default:
            return {};
    }
}

int fail(cfs::Error error, bool json) {
    if (error.hint().empty()) error.set_hint(default_hint(error.code()));
    if (json) std::cout << to_json(error) << '\n';
    const bool terminal = is_terminal(STDERR_FILENO);
    std::cerr << fold(error_text(error), terminal ? terminal_width(STDERR_FILENO) : 0);
    return static_cast<int>(exit_code_for(error.code()));
}

/// These only print: like `ls`, they end with who reads them, `head` for one.
template <typename Verb>
constexpr bool kOnlyPrints = std::is_same_v<Verb, ImageDump> || std::is_same_v<Verb, ImageList> ||
                             std::is_same_v<Verb, ImageObjects> ||
                             std::is_same_v<Verb, ImageDiff> || std::is_same_v<Verb, ImageInfo>;

int run_command(const CommandLine& command) {
    try {
        const ExitCode code = std::visit(
            [&command](const auto& verb) {
                if (kOnlyPrints<std::decay_t<decltype(verb)>>) std::signal(SIGPIPE, SIG_DFL);
                return run(verb, command.global);
            },
            command.verb);
        std::cout.flush();
        if (std::cout) return static_cast<int>(code);
        throw cfs::Error(cfs::ErrorCode::Io, "cannot write the result to standard output");
    } catch (const cfs::Error& error) {
        return fail(error, command.global.json);
    } catch (const std::exception& error) {
        return fail(cfs::Error(cfs::ErrorCode::Internal, error.what()), command.global.json);
    }
}

}  // namespace

int main(int argc, char** argv) {
    // A reader that closed its end is an error of that write, not the end of an update.
    std::signal(SIGPIPE, SIG_IGN);
    const Parsed parsed = parse_command_line({argv + 1, argv + argc});
    std::cout << parsed.out;
    std::cerr << parsed.err;
    return parsed.command ? run_command(*parsed.command) : parsed.exit_code;
}
