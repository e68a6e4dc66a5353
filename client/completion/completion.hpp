// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace cfs::client {

/// Completion scripts made from the option tree, so that none of them can lack a verb.
/// `program` is the installed name.
[[nodiscard]] std::string bash_completion(const std::string& program);
[[nodiscard]] std::string zsh_completion(const std::string& program);
[[nodiscard]] std::string fish_completion(const std::string& program);

}  // namespace cfs::client
