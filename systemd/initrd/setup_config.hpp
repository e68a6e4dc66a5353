// SPDX-License-Identifier: Apache-2.0
/// \file What an image says about its writable directories:
/// /usr/lib/composefs/setup-root-conf.toml.
///
/// The subset of TOML that this file is made of: the tables [etc], [var] and [root], strings
/// without escapes, booleans, comments. Other tables and keys belong to others and are skipped;
/// anything else in ours is refused, since a wrong guess would lose somebody's files.
#pragma once

#include <string_view>

namespace cfs::initrd {

enum class MountKind {
    None,       ///< what the image has
    Bind,       ///< the deployment's own directory
    Overlay,    ///< upper/ and work/ in the deployment's own directory, over the image's
    Transient,  ///< over the image's, gone at the next boot
};

[[nodiscard]] std::string_view to_string(MountKind kind);

struct SetupConfig {
    MountKind etc = MountKind::Bind;
    MountKind var = MountKind::Bind;
    bool root_transient = false;

    bool operator==(const SetupConfig&) const = default;
};

inline constexpr const char* kSetupConfigPath = "usr/lib/composefs/setup-root-conf.toml";

/// Throws BadFormat with the line's number.
[[nodiscard]] SetupConfig parse_setup_config(std::string_view text);

}  // namespace cfs::initrd
