// SPDX-License-Identifier: Apache-2.0
#include "app/boot_verbs.hpp"

#include "base/log.hpp"
#include "base/publish_file.hpp"
#include "service/motd.hpp"
#include "settings/units.hpp"
#include "update/engine.hpp"
#include "update/events.hpp"
#include "update/health.hpp"
#include "update/shutdown.hpp"
#include "update/soft_reboot.hpp"

#include <chrono>
#include <exception>
#include <filesystem>
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
    const update::GoodBoot good = update::mark_good(settings);
    log::info("mark-good: version " + printable(good.version) +
              (good.proven ? " is known to be good"
                           : " runs well; it is proven when the firmware has started it, too"));
    return 0;
}

int boot_failed(const settings::Settings& settings, const std::string& reason) {
    return update::note_failed_boot(settings, reason).stays.empty() ? 0 : 2;
}

int finalize(const settings::Settings& settings) {
    const update::ShutdownResult done = update::finalize_at_shutdown(settings);
    for (const std::string& line : done.etc_conflicts)
        log::warn("finalize: " + line);
    if (done.outcome == update::ShutdownOutcome::Locked)
        log::info("finalize: version " + done.version + " is staged and locked, it does not start");
    if (done.outcome == update::ShutdownOutcome::Armed)
        log::info("finalize: version " + done.version + " starts next");
    if (done.outcome == update::ShutdownOutcome::Merged)
        log::info("finalize: version " + done.version + " starts next, with /etc as it is now");
    return 0;
}

int soft_reboot(const settings::Settings& settings) {
    int status = 0;
    try {
        if (update::is_soft_reboot_wanted(settings)) static_cast<void>(finalize(settings));
    } catch (const Error& e) {
        // Kept for the next start; what runs is what starts then.
        log::error(std::string("soft-reboot: ") + e.what());
        status = 1;
    }
    const std::string version = update::prepare_soft_reboot(settings);
    if (!version.empty()) log::info("soft-reboot: it leads to version " + printable(version));
    return status;
}

int cannot_finalize(const Error& why) {
    update::keep_finalize_failure(settings::Settings(), why);
    return 1;
}

int finalize_failed(const settings::Settings& settings, const std::string& motd) {
    const auto failure = update::last_finalize_failure(settings);
    if (!failure) return 0;
    const std::string text = update::describe_finalize_failure(*failure);
    log::event(update::kEventFinalizeFailed,
               log::Level::Error,
               "finalize-failed: " + text,
               {{"CFSUPDATED_ERROR", failure->name}, {"CFSUPDATED_REASON", failure->message}});
    if (motd.empty()) return 1;
    try {
        std::filesystem::create_directories(std::filesystem::path(motd).parent_path());
        publish_file(motd, service::motd_text(update::make_engine(settings)->status()));
    } catch (const std::exception& e) {
        log::warn("finalize-failed: '" + motd + "' cannot be written: " + e.what());
    }
    return 1;
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
