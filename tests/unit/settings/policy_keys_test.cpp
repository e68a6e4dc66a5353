// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "settings/load.hpp"

#include <gtest/gtest.h>

namespace cfs::settings {
namespace {

using namespace std::chrono_literals;

Settings from(std::string_view text) {
    Settings settings;
    std::vector<std::string> warnings;
    apply_text(text, "x.toml", settings, warnings);
    EXPECT_TRUE(warnings.empty()) << warnings.front();
    return settings;
}

constexpr std::string_view kAll = R"([policy]
automatic = "apply"
strict = ["metered", "outside-window"]
allow_metered = true
battery_least = 55
ac_least = 5
idle = "always"
soft_reboot = true
windows = ["Mon..Fri 02:00-04:30", "23:00-24:00"]
reboot_windows = ["Sun 03:00-04:00"]
max_age = "240h"
backoff = "1h"
backoff_max = "2h"
rollout = "ignore"
rollout_percent = 7
rollout_spread = "36h"
)";

TEST(PolicySettings, AreRead) {
    const PolicySettings policy = from(kAll).policy;
    EXPECT_EQ(policy.automatic, PolicyLevel::Apply);
    EXPECT_EQ(policy.strict, (std::vector<std::string>{"metered", "outside-window"}));
    EXPECT_TRUE(policy.allow_metered);
    EXPECT_EQ(policy.battery_least, 55U);
    EXPECT_EQ(policy.ac_least, 5U);
    EXPECT_EQ(policy.idle, IdleWait::Always);
    EXPECT_TRUE(policy.soft_reboot);
    EXPECT_EQ(policy.windows, (std::vector{Window{0x1f, 120, 270}, Window{0x7f, 1380, 1440}}));
    EXPECT_EQ(policy.reboot_windows, std::vector{(Window{0x40, 180, 240})});
    EXPECT_EQ(policy.max_age, 240h);
    EXPECT_EQ(policy.backoff, 1h);
    EXPECT_EQ(policy.backoff_max, 2h);
    EXPECT_EQ(policy.rollout, RolloutPart::Ignore);
    EXPECT_EQ(policy.rollout_percent, 7U);
    EXPECT_EQ(policy.rollout_spread, 36h);
}

TEST(PolicySettings, ArePrintedAsTheyAreRead) {
    EXPECT_NE(print_config(from(kAll)).find(kAll), std::string::npos) << print_config(from(kAll));
}

TEST(PolicySettings, WhatIsOutOfRangeIsRefused) {
    std::string windows = "windows = [";
    for (int count = 0; count < 33; ++count)
        windows += "\"02:00-03:00\",";
    for (const std::string& line : {std::string("automatic = \"all\""),
                                    std::string("automatic = true"),
                                    std::string("strict = [\"rollout\"]"),
                                    std::string("battery_least = 101"),
                                    std::string("ac_least = -1"),
                                    std::string("idle = true"),
                                    std::string("windows = \"02:00-03:00\""),
                                    std::string("windows = [\"02:00\"]"),
                                    std::string("reboot_windows = [\"02:00-02:00\"]"),
                                    windows + "]",
                                    std::string("max_age = \"8785h\""),
                                    std::string("backoff = \"59s\""),
                                    std::string("backoff_max = \"169h\""),
                                    std::string("rollout = \"first\""),
                                    std::string("rollout_percent = 101"),
                                    std::string("rollout_spread = \"721h\"")}) {
        try {
            from("[policy]\n" + line + "\n");
            ADD_FAILURE() << "accepted: " << line;
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::InvalidArgs) << line;
        }
    }
}

}  // namespace
}  // namespace cfs::settings
