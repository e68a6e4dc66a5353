// SPDX-License-Identifier: Apache-2.0
/// \file Names of systemd's interface, which are on the wire; they are documented in
/// dbus/org.freedesktop.sysupdate1.*.xml.
#pragma once

#include <array>
#include <cstddef>

namespace cfs::sysupdate {

inline constexpr const char* kName = "org.freedesktop.sysupdate1";
inline constexpr const char* kManagerPath = "/org/freedesktop/sysupdate1";
inline constexpr const char* kTargetPath = "/org/freedesktop/sysupdate1/target/host";
inline constexpr const char* kJobPathPrefix = "/org/freedesktop/sysupdate1/job/_";
inline constexpr const char* kJobInterface = "org.freedesktop.sysupdate1.Job";

/// Class and name of the one target.
inline constexpr const char* kHost = "host";

// What polkit is asked; org.freedesktop.sysupdate1.policy describes them.
inline constexpr const char* kCheck = "org.freedesktop.sysupdate1.check";
inline constexpr const char* kUpdate = "org.freedesktop.sysupdate1.update";
inline constexpr const char* kUpdateToVersion = "org.freedesktop.sysupdate1.update-to-version";
inline constexpr const char* kVacuum = "org.freedesktop.sysupdate1.vacuum";
inline constexpr const char* kManageFeatures = "org.freedesktop.sysupdate1.manage-features";
inline constexpr std::array kActions{kCheck, kUpdate, kUpdateToVersion, kVacuum, kManageFeatures};

inline constexpr const char* kNoCandidate = "org.freedesktop.sysupdate1.NoCandidate";
inline constexpr const char* kBusy = "System.Error.EBUSY";
inline constexpr const char* kStopping = "System.Error.ECONNRESET";
inline constexpr const char* kNoSuchVersion = "System.Error.ENOENT";
inline constexpr const char* kInvalidArgs = "org.freedesktop.DBus.Error.InvalidArgs";
inline constexpr const char* kNotSupported = "org.freedesktop.DBus.Error.NotSupported";
inline constexpr const char* kLimitsExceeded = "org.freedesktop.DBus.Error.LimitsExceeded";
inline constexpr const char* kTimeout = "org.freedesktop.DBus.Error.Timeout";

/// The one flag there is, of List and Describe.
inline constexpr unsigned long long kOffline = 1;

/// Bytes of a version, and of a feature's name, that a client may send.
inline constexpr std::size_t kMaxVersion = 256;

}  // namespace cfs::sysupdate
