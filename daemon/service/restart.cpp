// SPDX-License-Identifier: Apache-2.0
#include "service/restart.hpp"

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "service/bus.hpp"

#include <cstdint>
#include <utility>

namespace cfs::service {
namespace {

constexpr const char* kInterface = "org.freedesktop.login1.Manager";
constexpr std::chrono::seconds kPatience{25};
constexpr std::uint64_t kCheckInhibitors = 1U << 0U;  // SD_LOGIND_ROOT_CHECK_INHIBITORS
constexpr std::uint64_t kSoftReboot = 1U << 2U;       // SD_LOGIND_SOFT_REBOOT

std::function<void(bus::Answer)> tell(Restart::Then then) {
    return [then = std::move(then)](const bus::Answer& answer) {
        if (!answer.failed) return then(std::nullopt);
        then(Error(
            ErrorCode::Unsupported,
            "logind does not start the machine again: " + std::string(answer.failed->getMessage()),
            "What is ready waits for the next restart, by whomever. 'systemd-inhibit "
            "--list' shows who may be in the way."));
    };
}

}  // namespace

Restart::Restart(sdbus::IConnection& connection, BusPump& pump, Lead lead)
    : login_(sdbus::createProxy(connection,
                                bus::ServiceName{"org.freedesktop.login1"},
                                sdbus::ObjectPath{"/org/freedesktop/login1"})),
      pump_(pump),
      lead_(std::move(lead)) {
    bus::finish_registration(*login_);
}

Restart::~Restart() = default;

void Restart::reboot(Then then) {
    log::info("starting the machine again for the new version");
    bus::ask_if_there(*login_, kInterface, "Reboot", kPatience, tell(std::move(then)), false);
    pump_.kick();
}

void Restart::soft_reboot(const update::Status& status, Then then) {
    if (!status.staged)
        throw Error(ErrorCode::NotFound,
                    "no other version waits for a boot",
                    "'cfsctl update' installs one; 'systemctl soft-reboot' restarts what runs.");
    if (!status.soft_reboot_problem.empty())
        throw Error(ErrorCode::Unsupported,
                    "no soft reboot leads to version " + status.staged->version + ": " +
                        status.soft_reboot_problem,
                    "'systemctl reboot' does.");
    lead_(status.staged->digest);
    log::info("a soft reboot to version " + printable(status.staged->version));
    bus::ask_if_there(*login_,
                      kInterface,
                      "RebootWithFlags",
                      kPatience,
                      tell([lead = lead_, then = std::move(then)](const auto& failed) {
                          // The wish is for this one, not for another that comes some day.
                          if (failed) lead("");
                          then(failed);
                      }),
                      kCheckInhibitors | kSoftReboot);
    pump_.kick();
}

}  // namespace cfs::service
