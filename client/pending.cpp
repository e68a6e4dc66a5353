// SPDX-License-Identifier: Apache-2.0
#include "client/model.hpp"

#include <algorithm>

namespace cfs::client {

PendingOutcome find_pending(const Status& status) {
    PendingOutcome out;
    out.pending = status.reboot_pending;
    out.booted = status.booted;
    if (status.staged && status.staged->locked) out.locked = status.staged;
    if (!out.pending) return out;
    // What is staged becomes the loader's choice at the shutdown.
    if (status.staged && !out.locked) {
        out.next = status.staged;
        return out;
    }
    const auto next = std::find_if(status.deployments.begin(),
                                   status.deployments.end(),
                                   [](const Deployment& each) { return each.next; });
    if (next != status.deployments.end()) out.next = *next;
    return out;
}

}  // namespace cfs::client
