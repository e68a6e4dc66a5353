// SPDX-License-Identifier: Apache-2.0
/// \file What is known of this boot alone, in settings.run, which no boot inherits.
#pragma once

#include "crypto/digest.hpp"
#include "settings/settings.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace cfs::update {

/// What a soft reboot needs and leaves, below settings.run: cfsupdated-soft-reboot.service makes it
/// where the machine can. A soft reboot keeps /run.
inline constexpr const char* kSoftPath = "soft";
inline constexpr const char* kSoftStart = "start.json";  ///< beside the record of its root
inline constexpr const char* kSoftBegan = "began.json";  ///< when the last soft reboot was

/// What cfs-prepare-root left of the mounts that it made: booted.json.
struct InitrdRecord {
    Digest digest;
    std::string etc;  ///< "bind", "overlay", "transient", "none"
    /// Set when a soft reboot led here from another deployment, which the loader started: the stem
    /// of this one, because an image can be of several. The loader counts nothing for it.
    std::optional<std::string> soft = {};
};

/// Of the root that is mounted; nullopt where another initrd mounted it.
[[nodiscard]] std::optional<InitrdRecord> initrd_record(const settings::Settings& settings);

/// Keeps what this boot's checks found, for status and for whoever decides about a failed boot.
/// \param failed one sentence; empty when they passed
void keep_check_result(const settings::Settings& settings, const std::string& failed);

/// Empty when they passed or did not run.
[[nodiscard]] std::string failed_checks(const settings::Settings& settings);

/// When the last soft reboot was, since the start of the kernel; 0 when there was none.
[[nodiscard]] std::chrono::milliseconds userspace_since(const settings::Settings& settings);

/// Sources of what is mounted at "/", the uppermost first: several when one covers another. \throws
/// Error where settings.mountinfo cannot be read
[[nodiscard]] std::vector<std::string> root_sources(const settings::Settings& settings);

/// How prepare-root names the source of an image's mount.
[[nodiscard]] std::string root_source(const Digest& image);

/// Name of the entry that the loader started, without its folder: with or without its counter, as
/// the loader's age has it. Empty when it does not say.
[[nodiscard]] std::string selected_entry(const settings::Settings& settings);

/// Name of the entry that the loader started and counts the tries of, without its folder: as the
/// loader renamed it. Empty when it counts none, or could not.
[[nodiscard]] std::string counted_entry(const settings::Settings& settings);

}  // namespace cfs::update
