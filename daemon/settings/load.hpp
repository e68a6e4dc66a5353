// SPDX-License-Identifier: Apache-2.0
/// \file From files to Settings. TOML; one file and its drop-ins; later wins, key by key.
#pragma once

#include "settings/settings.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cfs::settings {

struct Loaded {
    Settings settings;
    std::vector<std::string> files;     ///< what was read, in order
    std::vector<std::string> warnings;  ///< unknown keys, each with "file:line:column"
};

/// Reads `path`, then `path`.d/*.toml sorted bytewise by name (a link to /dev/null masks nothing
/// but itself). \throws NotFound without the file; InvalidArgs with "file:line:column", the value
/// found and the ones allowed; BadFormat where it is no TOML
[[nodiscard]] Loaded load(const std::string& path);

/// Adds what one file says. `settings` is unchanged when it throws.
/// \param file its name, for messages
void apply_text(std::string_view text,
                const std::string& file,
                Settings& settings,
                std::vector<std::string>& warnings);

/// All keys with their values, as a file that load() reads back to the same settings.
[[nodiscard]] std::string print_config(const Settings& settings);

}  // namespace cfs::settings
