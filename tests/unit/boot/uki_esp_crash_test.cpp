// SPDX-License-Identifier: Apache-2.0
// Only children pass crash points here: crash_point() reads its variable once per process.
#include "esp_fixture.hpp"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

namespace cfs::boot::test {
namespace {

using Names = std::vector<std::string>;
using Work = std::function<void(UkiEsp&)>;

class UkiEspCrash : public EspTest {
 protected:
    /// Runs `work` in a child that dies at `point`; true if it died there.
    bool killed_at(const std::string& point, const Work& work) {
        const pid_t child = ::fork();
        if (child == 0) {
            (void)::setenv("CFS_CRASH_POINT", point.c_str(), 1);
            try {
                work(*esp_);
            } catch (const Error&) {
                ::_exit(2);
            }
            ::_exit(0);
        }
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "the work failed";
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    }

    static void update(UkiEsp& esp) { esp.arm(stage(esp, uki_text("2"), kName)); }
};

TEST_F(UkiEspCrash, BeforeTheCopyNothingChanged) {
    const std::string before = tree_listing(dir_.path());
    ASSERT_TRUE(killed_at("esp.before-copy", update));
    EXPECT_EQ(tree_listing(dir_.path()), before);
}

class UkiEspCrashBeforeArm : public UkiEspCrash,
                             public ::testing::WithParamInterface<std::string> {};

TEST_P(UkiEspCrashBeforeArm, OldSystemBootsAndTheNextRunSucceeds) {
    ASSERT_TRUE(killed_at(GetParam(), update));
    EXPECT_EQ(names(), (Names{kOldFile, kStagedFile}));
    EXPECT_EQ(esp_->predict_next(), kOldFile);
    EXPECT_EQ(esp_->staged().size(), 1U);
    EXPECT_FALSE(killed_at("none", update));
    EXPECT_EQ(names(), (Names{kOldFile, kFile}));
}

INSTANTIATE_TEST_SUITE_P(Points,
                         UkiEspCrashBeforeArm,
                         ::testing::Values("esp.copied", "esp.before-arm"),
                         [](const auto& point) {
                             return point.param == "esp.copied" ? "Copied" : "BeforeArm";
                         });

TEST_F(UkiEspCrash, AfterArmingTheNewSystemIsThere) {
    ASSERT_TRUE(killed_at("esp.armed", update));
    EXPECT_EQ(names(), (Names{kOldFile, kFile}));
    EXPECT_EQ(esp_->predict_next(), kFile);
}

TEST_F(UkiEspCrash, AfterDemotingTheEntryIsBad) {
    ASSERT_TRUE(killed_at("esp.demoted", [](UkiEsp& esp) { esp.demote(kOldFile); }));
    EXPECT_EQ(names(), (Names{"os_1-000001-00000001+0-1.efi"}));
}

TEST_F(UkiEspCrash, ADamagedEntryStaysUntilItsSuccessorIsComplete) {
    dir_.write(linux_path(kOldFile), "damaged");
    const auto mend = [](UkiEsp& esp) {
        esp.restore(source_of(uki_text("1")).get(),
                    sha256_of(uki_text("1")),
                    {"os_1-000001-00000001", std::nullopt});
    };
    ASSERT_TRUE(killed_at("esp.restoring", mend));
    EXPECT_EQ(dir_.read(linux_path(kOldFile)), "damaged");
    EXPECT_EQ(names().size(), 2U);
    ASSERT_TRUE(killed_at("esp.restored", mend));
    EXPECT_EQ(dir_.read(linux_path(kOldFile)), uki_text("1"));
    EXPECT_EQ(names(), (Names{kOldFile}));
}

TEST_F(UkiEspCrash, CompanionsOutliveTheirEntryAndTheNextRunRemovesThem) {
    const std::string before = tree_listing(dir_.path());
    dir_.write(linux_path(kFile), uki_text("2"));
    dir_.write(linux_path(kName.stem + ".efi.extra.d/a.addon.efi"), "addon");
    const Work remove = [](UkiEsp& esp) { esp.remove(kName.stem); };
    ASSERT_TRUE(killed_at("esp.removed", remove));
    EXPECT_EQ(names(), (Names{kOldFile, kName.stem + ".efi.extra.d"}));
    EXPECT_FALSE(killed_at("none", remove));
    EXPECT_EQ(tree_listing(dir_.path()), before);
}

}  // namespace
}  // namespace cfs::boot::test
