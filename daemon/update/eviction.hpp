// SPDX-License-Identifier: Apache-2.0
/// \file Which deployments give their room on the ESP to a new one.
#pragma once

#include "update/machine.hpp"
#include "update/verbs.hpp"

#include <cstdint>
#include <vector>

namespace cfs::update {

/// Those that may go for a new one, in the order in which they do: what a collection would drop,
/// then kept ones, oldest first. Never one that runs, waits, boots next or is pinned, nor, while
/// what runs is not proven, the newest other one that is: one proven slot stays.
[[nodiscard]] std::vector<DeploymentRecord> evictable(const Overview& all, unsigned keep);

/// Bytes that dropping `records` frees where new UKIs go.
[[nodiscard]] std::uint64_t esp_bytes(const Overview& all,
                                      const std::vector<DeploymentRecord>& records);

/// The fewest of the evictable ones without which a UKI of `uki` bytes fits; none where it does
/// anyway. Changes nothing. \param image of the new one: a kept slot of the same image shares its
/// /etc with it and stays \param replaced bytes of what goes in any case \throws Error EspFull when
/// all of them are not enough: what is needed, what is free, and why the others stay
[[nodiscard]] std::vector<DeploymentRecord> choose_evicted(Machine& machine,
                                                           const Overview& all,
                                                           std::uint64_t uki,
                                                           std::uint64_t replaced,
                                                           const std::optional<Digest>& image);

}  // namespace cfs::update
