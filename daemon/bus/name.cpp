// SPDX-License-Identifier: Apache-2.0
#include "bus/name.hpp"

#include "base/log.hpp"

#include <exception>
#include <string>

namespace cfs::bus {
namespace {

/// More than a bus keeps for a service that is about to answer them.
constexpr int kLastMessages = 10'000;

}  // namespace

void give_up_name(sdbus::IConnection& connection, const char* name) noexcept {
    try {
        // Waits for the bus daemon's answer, so what was queued before is on its way.
        connection.releaseName(ServiceName{name});
        for (int i = 0; i < kLastMessages && process_one(connection); ++i) {
        }
    } catch (const std::exception& e) {
        log::debug(std::string("releasing the bus name: ") + e.what());
    }
}

}  // namespace cfs::bus
