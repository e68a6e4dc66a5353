// SPDX-License-Identifier: Apache-2.0
/// \file MESSAGE_IDs of what monitoring looks for in the journal; listed in cfsupdated(8). Never
/// changed once released.
#pragma once

namespace cfs::update {

/// A newer version did not come up and is held; an older one runs.
inline constexpr const char* kEventFallback = "2ef2911d6ed94783934823b359e1a4c1";

/// This boot did not pass its health checks, or did not come to them in time.
inline constexpr const char* kEventBootFailed = "56b026ce007c4e2784b112674f25473e";

/// The running version is proven.
inline constexpr const char* kEventProven = "e3cd9bf9264843888e196c1740ee4dfe";

}  // namespace cfs::update
