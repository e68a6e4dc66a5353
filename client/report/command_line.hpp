// SPDX-License-Identifier: Apache-2.0
/// \file What of the kernel's command line may go to others: our own arguments whole, of the rest
/// the names, because their values may be secrets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cfs::client {

/// Its words, "NAME=..." where the value is not ours to show, and "..." for what is no name either.
/// What is in quotes is one word.
[[nodiscard]] std::vector<std::string> shown_arguments(std::string_view cmdline);

/// The words as they are that have a value which is not shown: our own messages quote command
/// lines.
[[nodiscard]] std::vector<std::string> hidden_arguments(std::string_view cmdline);

/// `json` with the same done to each string "cmdline" in it, as the initrd's booted.json has one.
/// Other JSON comes back as it was. What is no JSON and has that word is not shown.
[[nodiscard]] std::string without_arguments(std::string json);

}  // namespace cfs::client
