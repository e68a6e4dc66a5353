// SPDX-License-Identifier: Apache-2.0
/// \file What is known of this boot alone, in settings.run, which no boot inherits.
#pragma once

#include "crypto/digest.hpp"
#include "settings/settings.hpp"

#include <optional>
#include <string>

namespace cfs::update {

/// What the initrd left of the mounts that it made: booted.json.
struct InitrdRecord {
    Digest digest;
    std::string etc;  ///< "bind", "overlay", "transient", "none"
};

/// nullopt where another initrd mounted the root.
[[nodiscard]] std::optional<InitrdRecord> initrd_record(const settings::Settings& settings);

/// Keeps what this boot's checks found, for status and for whoever decides about a failed boot.
/// \param failed one sentence; empty when they passed
void keep_check_result(const settings::Settings& settings, const std::string& failed);

/// Empty when they passed or did not run.
[[nodiscard]] std::string failed_checks(const settings::Settings& settings);

/// Name of the entry that the loader started, without its folder: with or without its counter, as
/// the loader's age has it. Empty when it does not say.
[[nodiscard]] std::string selected_entry(const settings::Settings& settings);

/// Name of the entry that the loader started, without its folder: with or without its counter, as
/// the loader's age has it. Empty when it does not say.
[[nodiscard]] std::string selected_entry(const settings::Settings& settings);

/// Name of the entry that the loader started and counts the tries of, without its folder: as the
/// loader renamed it. Empty when it counts none, or could not.
[[nodiscard]] std::string counted_entry(const settings::Settings& settings);

}  // namespace cfs::update
