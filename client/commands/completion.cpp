// SPDX-License-Identifier: Apache-2.0
#include "client/completion/completion.hpp"

#include "client/commands/commands.hpp"

#include <iostream>

namespace cfs::client {

ExitCode run(const Completion& options, const Global&) {
    if (options.shell == "bash") std::cout << bash_completion(CFSCTL_NAME);
    if (options.shell == "zsh") std::cout << zsh_completion(CFSCTL_NAME);
    if (options.shell == "fish") std::cout << fish_completion(CFSCTL_NAME);
    return ExitCode::Done;
}

}  // namespace cfs::client
