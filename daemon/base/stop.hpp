// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>

namespace cfs {

/// Throws Cancelled if a stop was requested: the only place that does.
void check(const std::stop_token& stop);

}  // namespace cfs
