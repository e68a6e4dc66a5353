// SPDX-License-Identifier: Apache-2.0
/// \file Verbs that units of the boot and the shutdown run, without bus and daemon. Each returns
/// the process's exit status.
#pragma once

#include "base/error.hpp"
#include "settings/settings.hpp"

#include <string>

namespace cfs::app {

/// 0: passed; 1: a required check failed.
[[nodiscard]] int boot_check(const settings::Settings& settings);

/// 0: what runs is proven.
[[nodiscard]] int mark_boot_good(const settings::Settings& settings);

/// 0: the machine is to start again, which the unit does; 2: it stays.
[[nodiscard]] int boot_failed(const settings::Settings& settings, const std::string& reason);

/// 0: what starts next is ready, or nothing waits; 1: it was given up, the error says why.
[[nodiscard]] int finalize(const settings::Settings& settings);

/// Before a soft reboot: finalize(), if it is to lead to another version; then, where it leads.
[[nodiscard]] int soft_reboot(const settings::Settings& settings);

/// The settings cannot be read: the next boot tells it. \returns 1
[[nodiscard]] int cannot_finalize(const Error& why);

/// 1 when the last shutdown could not do what it had to: the log says it, and the file `motd`,
/// which is shown to whoever logs in, with all that the daemon would say there. 0 when there is
/// nothing to say. \param motd empty: none
[[nodiscard]] int finalize_failed(const settings::Settings& settings, const std::string& motd);

/// Sleeps until health.deadline, unless a signal ends it before. Then 1.
[[nodiscard]] int wait_for_deadline(const settings::Settings& settings);

}  // namespace cfs::app
