// SPDX-License-Identifier: Apache-2.0
// What the units of the shutdown and of the boot after it run.
#include "app/boot_verbs.hpp"
#include "base/error.hpp"
#include "crash_site.hpp"
#include "update/shutdown.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace cfs {
namespace {

using test::CrashSite;

CrashSite site_of(const char* machine) {
    return CrashSite(std::string(CFS_MACHINES) + "/" + machine);
}

std::string motd_of(const CrashSite& crash) {
    return crash.site.dir / "run/motd.d/cfsupdated";
}

TEST(ShutdownVerbs, FinalizeMakesTheNextVersionReady) {
    CrashSite crash = site_of("armed");
    const std::string next = crash.site.engine().status().staged.value().digest;
    const std::string late = "sysroot/state/deploy/" + next + "/etc/late.conf";
    EXPECT_FALSE(std::filesystem::exists(crash.site.dir / late));
    EXPECT_EQ(app::finalize(crash.site.settings), 0);
    EXPECT_EQ(crash.site.dir.read(late), "written after the update\n");
    EXPECT_EQ(app::finalize_failed(crash.site.settings, motd_of(crash)), 0);
    EXPECT_FALSE(std::filesystem::exists(motd_of(crash)));
}

TEST(ShutdownVerbs, TheNextBootTellsWhyItWasNot) {
    CrashSite crash = site_of("rearmed");
    crash.site.settings.etc.on_conflict = settings::OnConflict::Stop;
    EXPECT_THROW((void)app::finalize(crash.site.settings), Error);
    EXPECT_EQ(app::finalize_failed(crash.site.settings, motd_of(crash)), 1);
    const std::string motd = crash.site.dir.read("run/motd.d/cfsupdated");
    EXPECT_NE(motd.find("cfsupdated: at the last shutdown: version 2 was not made ready: "),
              std::string::npos)
        << motd;
    EXPECT_NE(motd.find("conf.d/two"), std::string::npos) << motd;
    EXPECT_EQ(crash.site.engine().status().booted.value().version, "1");
}

TEST(ShutdownVerbs, ASettingThatCannotBeReadIsTold) {
    CrashSite crash = site_of("armed");
    update::keep_finalize_failure(
        crash.site.settings, Error(ErrorCode::InvalidArgs, "c.toml:3: no key 'ect'", "mend it"));
    EXPECT_EQ(app::finalize_failed(crash.site.settings, motd_of(crash)), 1);
    const std::string motd = crash.site.dir.read("run/motd.d/cfsupdated");
    EXPECT_NE(motd.find("cfsupdated: at the last shutdown: c.toml:3: no key 'ect'; mend it\n"),
              std::string::npos)
        << motd;
    // All that the daemon would say: whoever writes it last says the same.
    EXPECT_NE(motd.find("cfsupdated: version 2 runs after the next restart\n"), std::string::npos)
        << motd;
}

}  // namespace
}  // namespace cfs
