// SPDX-License-Identifier: Apache-2.0
/// \file MESSAGE_IDs of what monitoring looks for in the journal, and the fields that come with
/// them; listed in cfsupdated(8). Never changed once released.
#pragma once

#include "base/error.hpp"
#include "base/log.hpp"
#include "update/record.hpp"

#include <string_view>

namespace cfs::update {

/// A newer version did not come up and is held; an older one runs.
inline constexpr const char* kEventFallback = "2ef2911d6ed94783934823b359e1a4c1";

/// This boot did not pass its health checks, or did not come to them in time.
inline constexpr const char* kEventBootFailed = "56b026ce007c4e2784b112674f25473e";

/// The running version is proven.
inline constexpr const char* kEventProven = "e3cd9bf9264843888e196c1740ee4dfe";

/// A new version is complete on this machine; a shutdown or a finalize makes it the next boot.
inline constexpr const char* kEventStaged = "d8916606b2f244f693a318a5be7c9d00";

/// Another version than the running one is the loader's next choice.
inline constexpr const char* kEventRebootPending = "87f39dd4127840fea1d2d15ba0bfc730";

/// An image, or a UKI over the image that runs, is not installed by itself any more.
inline constexpr const char* kEventHeld = "3f7db9d80c5d4493ae3dff6235bcdb89";

/// An update, a stage or a switch that had begun failed.
inline constexpr const char* kEventUpdateFailed = "3c03cf701e5242198c09fe36acaf4ffe";

/// What was staged could not be made the next boot, or its /etc not as it is now; it was given up.
inline constexpr const char* kEventFinalizeFailed = "6a848c3d4e9442bf8f5bc75f6b6c5cd6";

/// CFSUPDATED_VERSION and CFSUPDATED_DIGEST (of the composefs image), and CFSUPDATED_REASON if
/// there is one. Text that came with an image is made printable.
[[nodiscard]] log::Fields fields_of(const DeploymentRecord& record, std::string_view reason = {});

/// CFSUPDATED_ERROR (its name on the bus, without the prefix) and CFSUPDATED_REASON; of `version`
/// and `digest` as in fields_of(), empty where they are not known.
[[nodiscard]] log::Fields fields_of(const Error& error,
                                    std::string_view version,
                                    std::string_view digest = {});

/// Version and digest go with it.
void tell_staged(const DeploymentRecord& record);
void tell_reboot_pending(const DeploymentRecord& record);

}  // namespace cfs::update
