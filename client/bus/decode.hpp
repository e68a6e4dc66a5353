// SPDX-License-Identifier: Apache-2.0
/// \file a{sv} of the bus -> values of this client. A missing key, or one of another type than
/// documented, reads as empty: an odd daemon must not stop `cfsctl status`.
#pragma once

#include "client/model.hpp"
#include "dbus/bus_compat.hpp"

namespace cfs::client {

[[nodiscard]] Deployment decode_deployment(const bus::VariantMap& map);
[[nodiscard]] Fallback decode_fallback(const bus::VariantMap& map);
[[nodiscard]] HeldVersion decode_held(const bus::VariantMap& map);
[[nodiscard]] Available decode_available(const bus::VariantMap& map);
[[nodiscard]] Failure decode_failure(const bus::VariantMap& map);

/// From all properties of the Manager.
[[nodiscard]] Status decode_status(const bus::VariantMap& properties);

/// One of what History returns.
[[nodiscard]] HistoryEntry decode_history(const bus::VariantMap& map);

/// From a job's property Result.
[[nodiscard]] CheckOutcome decode_check(const bus::VariantMap& result);
[[nodiscard]] UpdateOutcome decode_update(const bus::VariantMap& result);
[[nodiscard]] CollectOutcome decode_collect(const bus::VariantMap& result);
[[nodiscard]] PinOutcome decode_pin(const bus::VariantMap& result);
[[nodiscard]] VerifyOutcome decode_verify(const bus::VariantMap& result);
[[nodiscard]] RepairOutcome decode_repair(const bus::VariantMap& result);

[[nodiscard]] EtcPreview decode_etc_preview(const bus::VariantMap& result);
[[nodiscard]] EtcRestored decode_etc_restored(const bus::VariantMap& result);

/// Takes over what `properties` holds of a Job's properties; the rest of `job` stays.
void merge_job(JobState& job, const bus::VariantMap& properties);

/// A map inside a map; empty when missing.
[[nodiscard]] bus::VariantMap decode_map(const bus::VariantMap& map, const std::string& key);

}  // namespace cfs::client
