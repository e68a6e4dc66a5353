// SPDX-License-Identifier: Apache-2.0
#include "policy/rollout.hpp"

#include "time_zone.hpp"

#include <gtest/gtest.h>

namespace cfs::policy {
namespace {

using namespace std::chrono_literals;
using test::utc;

std::map<std::string, std::string> notes(const char* start,
                                         const char* duration,
                                         const char* percent) {
    return {{"org.cfsupdate1.rollout.start", start},
            {"org.cfsupdate1.rollout.duration", duration},
            {"org.cfsupdate1.rollout.percent", percent},
            {"org.opencontainers.image.title", "x"}};
}

TEST(Rollout, MomentsAreRfc3339) {
    EXPECT_EQ(parse_moment("2026-11-22T03:00:00Z"), utc("2026-11-22 03:00:00"));
    EXPECT_EQ(parse_moment("2026-11-22T03:00:00+01:00"), utc("2026-11-22 02:00:00"));
    EXPECT_EQ(parse_moment("2026-11-22T03:00:00-05:30"), utc("2026-11-22 08:30:00"));
    EXPECT_EQ(parse_moment("2024-02-29T00:00:00Z"), utc("2024-02-29 00:00:00"));
    for (const char* text : {"",
                             "now",
                             "2026-11-22",
                             "2026-11-22T03:00:00",
                             "2026-11-22 03:00:00Z",
                             "2026-11-22T03:00:00z",
                             "2026-11-22T03:00:00.5Z",
                             "2026-11-22T03:00:00+1:00",
                             "2026-11-22T03:00:00+24:00",
                             "2026-02-29T00:00:00Z",
                             "2026-13-01T00:00:00Z",
                             "2026-00-01T00:00:00Z",
                             "2026-11-22T24:00:00Z",
                             "2026-11-22T03:60:00Z",
                             "1969-12-31T23:59:59Z",
                             "9999-01-01T00:00:00Z",
                             "2026-11-22T03:00:00Z "}) {
        EXPECT_FALSE(parse_moment(text)) << text;
    }
}

TEST(Rollout, IsReadFromAnnotations) {
    const Rollout all = read_rollout(notes("2026-11-22T03:00:00Z", "72h", "5"));
    EXPECT_EQ(all, (Rollout{utc("2026-11-22 03:00:00"), 72h, 5}));
    EXPECT_EQ(read_rollout({}), Rollout{});
    EXPECT_EQ(read_rollout(notes("", "", "")), Rollout{});
    EXPECT_EQ(read_rollout(notes("tomorrow", "-1h", "101")), Rollout{});
    EXPECT_EQ(read_rollout(notes("tomorrow", "99999999h", "5%")), Rollout{});
    EXPECT_EQ(read_rollout(notes("", "", "100")).percent, 100U);
    EXPECT_EQ(read_rollout(notes("", "", "0")).percent, 0U);
}

TEST(Rollout, ATurnComesWithTheShare) {
    const Time seen = utc("2026-11-23 00:00:00");
    const Rollout rollout{utc("2026-11-22 00:00:00"), 100h, 50};
    const settings::PolicySettings policy;
    EXPECT_EQ(turn(rollout, policy, seen, 0), utc("2026-11-22 00:00:00"));
    EXPECT_EQ(turn(rollout, policy, seen, 0.25), utc("2026-11-23 01:00:00"));
    EXPECT_FALSE(turn(rollout, policy, seen, 0.5));
    EXPECT_FALSE(turn({{}, {}, 0}, policy, seen, 0));
}

TEST(Rollout, SettingsSayWhatTheImageDoesNot) {
    const Time seen = utc("2026-11-23 00:00:00");
    settings::PolicySettings policy;
    EXPECT_EQ(turn({}, policy, seen, 0.999), seen);
    policy.rollout_spread = 10h;
    EXPECT_EQ(turn({}, policy, seen, 0.5), seen + 5h);
    policy.rollout_percent = 20;
    EXPECT_FALSE(turn({}, policy, seen, 0.5));
    EXPECT_EQ(turn({{}, 4h, 100}, policy, seen, 0.5), seen + 2h);
    policy.rollout = settings::RolloutPart::Ignore;
    EXPECT_EQ(turn({{}, 4h, 0}, policy, seen, 0.5), seen);
}

}  // namespace
}  // namespace cfs::policy
