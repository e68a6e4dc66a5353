// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace cfs::client {

/// True when `program` is an executable found in $PATH.
[[nodiscard]] bool have_program(const std::string& program);

/// Runs `argv` (argv[0] looked up in $PATH; no shell) with an empty standard input and waits for
/// it. What it prints is shown only when it fails: Internal with the last of it. NotFound, with the
/// Debian package to install as hint, when there is no such program.
void run_program(const std::vector<std::string>& argv, const std::string& package);

}  // namespace cfs::client
