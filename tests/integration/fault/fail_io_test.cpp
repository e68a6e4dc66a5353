// SPDX-License-Identifier: Apache-2.0
// The n-th call of an update that changes something fails, or is the last one.
#include "base/error.hpp"
#include "crash/crash_site.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <ostream>
#include <regex>

namespace cfs {
namespace {

using test::CrashSite;
using test::Ended;
using test::run_process;

/// Runs of each way to fail, unless CFS_LONG=1 asks for every n.
constexpr unsigned long kShortRuns = 20;

bool is_long() {
    const char* value = std::getenv("CFS_LONG");
    return value != nullptr && std::string(value) == "1";
}

struct Way {
    const char* name;
    const char* verb;
    const char* machine;
    const char* tag;
    const char* with;
    bool sticky;
    std::vector<std::string> guarded;  ///< versions that must come to no harm
};

std::ostream& operator<<(std::ostream& out, const Way& way) {
    return out << way.name;
}

/// What came of one run.
struct Attempt {
    Ended ended;
    std::string call;         ///< "17: fsync /path"
    unsigned long total = 0;  ///< calls
};

Attempt run_with(CrashSite& crash, const Way& way, unsigned long at) {
    const std::string report = crash.site.dir / "calls";
    const std::string dir = std::filesystem::canonical(crash.site.dir.path());
    Attempt out;
    out.ended = run_process(crash.command(CFS_DRIVE, way.verb, way.tag),
                            {"LD_PRELOAD=" CFS_FAIL_IO,
                             "ASAN_OPTIONS=verify_asan_link_order=0",
                             "CFS_FAIL_DIR=" + dir,
                             "CFS_FAIL_AT=" + std::to_string(at),
                             std::string("CFS_FAIL_WITH=") + way.with,
                             std::string("CFS_FAIL_STICKY=") + (way.sticky ? "1" : "0"),
                             "CFS_FAIL_REPORT=" + report});
    if (!std::filesystem::exists(report)) return out;
    const std::string text = crash.site.dir.read("calls");
    std::smatch found;
    if (std::regex_search(text, found, std::regex("total ([0-9]+)"))) {
        out.total = std::stoul(found[1]);
    }
    out.call = text.substr(0, text.find('\n'));
    return out;
}

/// The name in "error NAME: message"; empty if there is none.
std::string error_in(const std::string& output) {
    std::smatch found;
    return std::regex_search(output, found, std::regex("(^|\n)error ([A-Za-z]+): ."))
               ? found[2].str()
               : "";
}

void expect_named_end(const Way& way, const Ended& ended) {
    const std::string with = way.with;
    EXPECT_FALSE(ended.killed) << "it hangs";
    if (with == "KILL") {
        EXPECT_EQ(ended.signal, SIGKILL);
        return;
    }
    ASSERT_EQ(ended.signal, 0) << ended.output;
    // Some calls are best effort; an interrupted one is done again.
    if (ended.code == 0) return;
    ASSERT_EQ(ended.code, 1) << ended.output;
    const std::string name = error_in(ended.output);
    const bool fits = (with == "EIO" && name == "Io") ||
                      (with == "ENOSPC" && (name == "NoSpace" || name == "EspFull"));
    EXPECT_TRUE(fits) << ended.output;
}

class FailingCall : public testing::TestWithParam<Way> {
 protected:
    [[nodiscard]] static std::string machine(const Way& way) {
        return std::string(CFS_MACHINES) + "/" + way.machine;
    }

    static unsigned long count_calls(const Way& way) {
        CrashSite crash(machine(way));
        const Attempt run = run_with(crash, way, 0);
        EXPECT_EQ(run.ended.code, 0) << run.ended.output;
        return run.total;
    }

    static std::string untouched_inventory(const Way& way) {
        CrashSite crash(machine(way));
        finish(crash, way);
        return crash.inventory();
    }

    static void fail_at(const Way& way, unsigned long at, const std::string& wanted) {
        CrashSite crash(machine(way));
        const bool has_old = !way.guarded.empty();
        if (has_old) crash.guard(way.guarded);
        const Attempt run = run_with(crash, way, at);
        SCOPED_TRACE("call " + run.call);
        expect_named_end(way, run.ended);
        EXPECT_EQ(crash.harm(), "");
        if (has_old) {
            crash.site.engine().reconcile();
            EXPECT_EQ(crash.unsound(), "");
        }
        finish(crash, way);
        EXPECT_EQ(crash.unsound(), "");
        EXPECT_EQ(crash.inventory(), wanted);
    }

 private:
    /// What it gives up when it fails is installed again first.
    static bool may_drop(const Way& way) {
        const std::string verb = way.verb;
        return verb == "finalize" || verb == "shutdown";
    }

    /// The next run, without faults, and a collection.
    static void finish(CrashSite& crash, const Way& way) {
        if (may_drop(way)) (void)run_process(crash.command(CFS_DRIVE, "update", "v2"));
        const Ended again = run_process(crash.command(CFS_DRIVE, way.verb, way.tag));
        const std::string name = error_in(again.output);
        const bool done_before = name == "Busy" || name == "NotFound";
        EXPECT_TRUE(again.code == 0 || done_before) << again.output;
        if (way.guarded.empty()) (void)crash.site.reboot();
        const Ended collected = run_process(crash.command(CFS_DRIVE, "collect"));
        EXPECT_EQ(collected.code, 0) << collected.output;
        std::filesystem::remove(crash.site.dir / "calls");
        crash.site.engine().remember_error(nullptr);
    }
};

TEST_P(FailingCall, EndsInANamedErrorAndTheNextRunSucceeds) {
    const Way& way = GetParam();
    const unsigned long total = count_calls(way);
    const unsigned long step = is_long() ? 1 : std::max(1UL, total / kShortRuns);
    std::cout << way.verb << " makes " << total << " calls that change something; every " << step
              << ". fails with " << way.with << (way.sticky ? ", and all after it" : "") << '\n';
    const std::string wanted = untouched_inventory(way);
    for (unsigned long at = 1; at <= total && !HasFatalFailure(); at += step) {
        fail_at(way, at, wanted);
        if (HasFailure() && !is_long()) break;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Calls,
    FailingCall,
    testing::Values(
        Way{"update_ENOSPC", "update", "installed", "v2", "ENOSPC", false, {"1"}},
        Way{"update_ENOSPC_for_good", "update", "installed", "v2", "ENOSPC", true, {"1"}},
        Way{"update_EIO", "update", "installed", "v2", "EIO", false, {"1"}},
        Way{"update_EIO_for_good", "update", "installed", "v2", "EIO", true, {"1"}},
        Way{"update_EINTR", "update", "installed", "v2", "EINTR", false, {"1"}},
        Way{"update_KILL", "update", "installed", "v2", "KILL", false, {"1"}},
        Way{"retake_EIO", "update", "returned", "v2", "EIO", false, {"1"}},
        Way{"retake_KILL", "update", "returned", "v2", "KILL", false, {"1"}},
        Way{"install_EIO", "install", "empty", "v1", "EIO", false, {}},
        Way{"install_KILL", "install", "empty", "v1", "KILL", false, {}},
        Way{"finalize_EIO", "finalize", "staged", "", "EIO", false, {"1"}},
        Way{"finalize_KILL", "finalize", "staged", "", "KILL", false, {"1"}},
        Way{"shutdown_EIO", "shutdown", "armed", "", "EIO", false, {"1"}},
        Way{"shutdown_ENOSPC_for_good", "shutdown", "armed", "", "ENOSPC", true, {"1"}},
        Way{"shutdown_KILL", "shutdown", "armed", "", "KILL", false, {"1"}},
        Way{"rollback_EIO", "rollback", "updated", "", "EIO", false, {"1", "2"}},
        Way{"rollback_KILL", "rollback", "updated", "", "KILL", false, {"1", "2"}},
        Way{"downgrade_EIO", "downgrade", "updated", "v1", "EIO", false, {"2"}},
        Way{"downgrade_KILL", "downgrade", "updated", "v1", "KILL", false, {"2"}},
        Way{"prove_EIO", "prove", "tried", "", "EIO", false, {"2"}},
        Way{"prove_KILL", "prove", "tried", "", "KILL", false, {"2"}},
        Way{"collect_EIO", "collect", "surplus", "", "EIO", false, {"2", "3"}},
        Way{"collect_KILL", "collect", "surplus", "", "KILL", false, {"2", "3"}},
        Way{"pin_EIO", "pin", "surplus", "1", "EIO", false, {"1", "2", "3"}},
        Way{"pin_KILL", "pin", "surplus", "1", "KILL", false, {"1", "2", "3"}},
        Way{"remove_EIO", "remove", "surplus", "1", "EIO", false, {"2", "3"}},
        Way{"remove_KILL", "remove", "surplus", "1", "KILL", false, {"2", "3"}}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace cfs
