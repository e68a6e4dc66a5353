// SPDX-License-Identifier: Apache-2.0
#include "app/boot_verbs.hpp"

#include "base/log.hpp"
#include "settings/units.hpp"
#include "update/health.hpp"

#include <chrono>
#include <thread>

namespace cfs::app {

int boot_check(const settings::Settings& settings) {
    const update::BootReport report = update::check_boot(settings);
    for (const std::string& line : report.warnings)
        log::warn("boot-check: " + line);
    for (const std::string& line : report.failed)
        log::error("boot-check: " + line);
    if (!report.failed.empty()) return 1;
    log::info("boot-check: " + std::to_string(report.passed) + " checks passed");
    return 0;
}

int mark_boot_good(const settings::Settings& settings) {
    const std::string version = update::mark_good(settings);
    log::info("mark-good: version " + version + " is known to be good");
    return 0;
}

int boot_failed(const settings::Settings& settings, const std::string& reason) {
    return update::note_failed_boot(settings, reason).stays.empty() ? 0 : 2;
}

int wait_for_deadline(const settings::Settings& settings) {
    // Looked at again: sleeping may end early.
    for (auto left = update::time_to_deadline(settings); left.count() > 0;
         left = update::time_to_deadline(settings))
        std::this_thread::sleep_for(left);
    log::error("boot-complete.target was not reached within " +
               settings::format_duration(settings.health.deadline));
    return 1;
}

}  // namespace cfs::app
