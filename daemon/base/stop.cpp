// SPDX-License-Identifier: Apache-2.0
#include "base/stop.hpp"

#include "base/error.hpp"

namespace cfs {

void check(const std::stop_token& stop) {
    if (stop.stop_requested()) {
        throw Error(ErrorCode::Cancelled, "cancelled", "start it again; what was fetched is kept");
    }
}

}  // namespace cfs
