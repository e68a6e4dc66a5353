// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/options.hpp"

#include <string>
#include <vector>

namespace cfs::client {

/// What may follow a flag.
enum class ValueKind { None, Words, File, Directory, Text };

[[nodiscard]] ValueKind value_kind(const OptionHelp& option);

/// "v1|v2" -> "v1 v2".
[[nodiscard]] std::string value_words(const OptionHelp& option);

/// The words that may follow `verb`, options included, with a space between them.
[[nodiscard]] std::string words_after(const VerbHelp& verb);

/// Every option of the tree once, by its flag.
[[nodiscard]] std::vector<OptionHelp> all_options();

/// `program` as part of a shell function's name.
[[nodiscard]] std::string function_name(const std::string& program);

}  // namespace cfs::client
