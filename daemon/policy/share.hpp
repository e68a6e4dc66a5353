// SPDX-License-Identifier: Apache-2.0
/// \file A machine's place among all machines: the same each time it is asked for, another for each
/// purpose, and nobody needs to know the fleet. Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace cfs::policy {

/// In [0, 1), uniform over machines and over purposes.
/// \param machine a text of this machine's own that is kept here: the machine id hashed with our
/// application id, never the machine id itself
/// \param purpose a release's digest, "failure 3", ...
[[nodiscard]] double share_of(std::string_view machine, std::string_view purpose);

/// How long nothing is tried by itself after `failures` in a row: twice as long each time up to
/// `most`, of which the machine waits between the half and all.
[[nodiscard]] std::chrono::milliseconds back_off(std::chrono::milliseconds first,
                                                 std::chrono::milliseconds most,
                                                 unsigned failures,
                                                 std::string_view machine);

}  // namespace cfs::policy
