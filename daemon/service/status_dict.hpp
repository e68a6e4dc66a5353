// SPDX-License-Identifier: Apache-2.0
/// \file The engine's values under the keys that dbus/org.cfsupdate1.*.xml documents. An absent
/// value is an empty dictionary.
#pragma once

#include "base/error.hpp"
#include "service/value.hpp"
#include "update/engine.hpp"

#include <optional>

namespace cfs::service {

/// More items of a result than this are counted, not listed: a reply must stay a message.
inline constexpr std::size_t kMaxItems = 10'000;

/// And of one list no more than these bytes: ObjectManager gives all results in one message.
inline constexpr std::size_t kMaxListBytes = std::size_t{2} << 20;

/// Cuts lists that are longer than `most` bytes. What is cut is counted where the dictionary has a
/// number for that, else a last line says it.
void bound_lists(Dict& dict, std::size_t most = kMaxListBytes);

/// About what it takes in a message.
[[nodiscard]] std::size_t bytes_of(const Dict& dict);

[[nodiscard]] Dict to_dict(const update::DeploymentInfo& deployment);
[[nodiscard]] Dict to_dict(const update::Fallback& fallback);
[[nodiscard]] Dict to_dict(const update::HeldVersion& held);
[[nodiscard]] Dict to_dict(const update::Available& available);
[[nodiscard]] Dict to_dict(const update::LastError& error);
[[nodiscard]] Dict to_dict(const update::HistoryEntry& entry);
[[nodiscard]] Dict to_dict(const update::CheckResult& result);
[[nodiscard]] Dict to_dict(const update::UpdateResult& result);
[[nodiscard]] Dict to_dict(const update::CollectResult& result, bool dry_run);
[[nodiscard]] Dict to_dict(const update::PinResult& result);
[[nodiscard]] Dict to_dict(const update::VerifyResult& result);
[[nodiscard]] Dict to_dict(const update::RepairResult& result);

[[nodiscard]] Dict to_dict(const update::EtcPreview& preview);
[[nodiscard]] Dict to_dict(const update::EtcRestored& restored);

/// A job's Error: name, message, hint, details.
[[nodiscard]] Dict to_dict(const Error& error);

template <typename T>
[[nodiscard]] Dict to_dict(const std::optional<T>& value) {
    return value ? to_dict(*value) : Dict{};
}

}  // namespace cfs::service
