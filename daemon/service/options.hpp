// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dbus/bus_compat.hpp"
#include "service/request.hpp"

namespace cfs::service {

/// Longest text of an option, in bytes.
inline constexpr std::size_t kMaxOption = 4096;

/// The request that a call of `kind` with these options makes.
/// \param finalize_by_default the setting update.auto_finalize
/// \throws InvalidArgs naming the option that is unknown, of the wrong type or too long
[[nodiscard]] JobRequest read_request(JobKind kind,
                                      const bus::VariantMap& options,
                                      bool finalize_by_default);

/// For methods that take none yet. \throws InvalidArgs
/// Of History: how many entries at most.
[[nodiscard]] std::uint64_t read_history_limit(const bus::VariantMap& options);

void refuse_options(std::string_view method, const bus::VariantMap& options);

/// Options of Inhibit. \throws InvalidArgs
[[nodiscard]] InhibitWish read_wish(const bus::VariantMap& options);

}  // namespace cfs::service
