// SPDX-License-Identifier: Apache-2.0
/// \file After a failure: what is said, what is left for the next boot, and whether this machine
/// starts again. A counted entry has an older one to fall back to; a sealed one must never end in a
/// shell.
#pragma once

#include "base/error.hpp"
#include "initrd/options.hpp"

#include <optional>
#include <string>

namespace cfs::initrd {

struct BootAttempt {
    bool counted = false;  ///< the loader counts down this entry's tries
    bool sealed = true;    ///< the command line wants fs-verity, or cannot be read
    std::string entry;     ///< the loader's name for what it started; empty when it does not say
};

/// Seconds until the machine starts again; nullopt: it stays, for a person to look at.
[[nodiscard]] std::optional<unsigned> seconds_to_reboot(const BootAttempt& attempt);

/// What the loader's variables and the kernel command line tell.
[[nodiscard]] BootAttempt look_at_boot(const Options& options);

/// "cause (details); cure" on one line.
[[nodiscard]] std::string failure_line(const Error& error);

/// Prints, records, and with options.reboot starts the machine again where that is due. Returns the
/// exit status otherwise.
[[nodiscard]] int after_failure(const Options& options, const Error& error) noexcept;

}  // namespace cfs::initrd
