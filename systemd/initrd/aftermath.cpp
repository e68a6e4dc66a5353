// SPDX-License-Identifier: Apache-2.0
#include "initrd/aftermath.hpp"

#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "boot/efi_text.hpp"
#include "initrd/prepare.hpp"
#include "initrd/tree.hpp"
#include "mount/mount_call.hpp"

#include <fcntl.h>
#include <sys/reboot.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace cfs::initrd {
namespace {

/// Long enough to read a line, short enough for a machine that nobody watches.
constexpr unsigned kCountedPause = 10;
/// Nothing to fall back to: perhaps a disk that comes late. Not a loop that wears it out.
constexpr unsigned kSealedPause = 300;

/// efivarfs, mounted by somebody or for this moment.
UniqueFd open_efivars(const std::string& path) {
    UniqueFd there = open_root(path);
    if (stat_at(there.get(), boot::kEntrySelected) || stat_at(there.get(), boot::kBootCountPath))
        return there;
    mount::MountContext context("efivarfs");
    context.create();
    return context.mount(true);
}

bool is_sealed(const std::string& cmdline) {
    try {
        return !uki::composefs_arg(read_cmdline(cmdline)).insecure;
    } catch (const Error&) {
        return true;
    }
}

std::string describe(const BootAttempt& attempt, bool in_initrd) {
    // What a soft reboot cannot mount is no failure of the entry that runs.
    if (!in_initrd) return "the soft reboot stays with what runs: ";
    return "the boot of " + (attempt.entry.empty() ? "another entry" : "'" + attempt.entry + "'") +
           " failed in its initrd: ";
}

FailureRecord describe(const Error& error, const BootAttempt& attempt, bool in_initrd) {
    FailureRecord out;
    out.code = error.code();
    out.message = describe(attempt, in_initrd) + error.what();
    out.hint = error.hint();
    out.details = error.details();
    out.time = ::time(nullptr);
    return out;
}

void leave_record(const Options& options, const FailureRecord& record) {
    const UniqueFd sysroot = open_root(options.sysroot);
    make_writable(sysroot.get(), options.sysroot);
    write_failure(sysroot.get(), record);
}

/// What does not work here must not hide the failure itself.
template <typename F>
void best_effort(F&& f) noexcept {
    try {
        f();
    } catch (const std::exception& e) {
        static_cast<void>(std::fprintf(stderr, "cfs-prepare-root: also: %s\n", e.what()));
    }
}

}  // namespace

std::optional<unsigned> seconds_to_reboot(const BootAttempt& attempt) {
    if (attempt.counted) return kCountedPause;
    if (attempt.sealed) return kSealedPause;
    return std::nullopt;
}

BootAttempt look_at_boot(const Options& options) {
    BootAttempt out;
    out.sealed = is_sealed(options.cmdline);
    try {
        const UniqueFd variables = open_efivars(options.efivars);
        out.counted = stat_at(variables.get(), boot::kBootCountPath).has_value();
        if (const auto text =
                find_text_at(variables.get(), boot::kEntrySelected, boot::kMaxEfiVariable))
            out.entry = boot::efi_text(*text);
    } catch (const Error&) {
        // No EFI, or a kernel without its variables: nobody counts.
    }
    return out;
}

std::string failure_line(const Error& error) {
    std::string out = error.what();
    if (!error.details().empty()) out += " (" + error.details() + ")";
    if (!error.hint().empty()) out += "; " + error.hint();
    std::replace(out.begin(), out.end(), '\n', ' ');
    return out;
}

int after_failure(const Options& options, const Error& error) noexcept {
    best_effort([&] {
        const BootAttempt attempt = look_at_boot(options);
        // 0: it does not.
        const unsigned pause = options.reboot ? seconds_to_reboot(attempt).value_or(0) : 0;
        const std::string line = failure_line(error);
        const std::string after =
            pause > 0 ? "; this machine starts again in " + std::to_string(pause) + " s" : "";
        static_cast<void>(
            std::fprintf(stderr, "cfs-prepare-root: %s%s\n", line.c_str(), after.c_str()));
        best_effort([&] { leave_record(options, describe(error, attempt, !options.soft)); });
        if (pause == 0) return;
        for (unsigned left = pause; left > 0;)
            left = ::sleep(left);
        ::sync();
        static_cast<void>(::reboot(RB_AUTOBOOT));
    });
    return 1;
}

}  // namespace cfs::initrd
