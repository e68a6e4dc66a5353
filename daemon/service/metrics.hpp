// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "update/status.hpp"

#include <string>

namespace cfs::service {

/// How this machine stands, as OpenMetrics text (specification 1.0.0) that Prometheus' older text
/// format reads, too, since that is what node_exporter's textfile collector speaks: only gauges and
/// counters. cfsupdated(8) lists the metrics; a name or a label is never changed once released.
[[nodiscard]] std::string metrics_text(const update::Status& status);

}  // namespace cfs::service
