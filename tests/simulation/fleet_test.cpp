// SPDX-License-Identifier: Apache-2.0
// 1,000 machines and one registry; README.md beside this file says what is shown. The curves are
// curves.csv; with CFS_UPDATE_LISTING set this test writes that file anew, and plot.py the picture.
#include "fleet.hpp"

#include "policy/share.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <sstream>

namespace cfs::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMachines = 1000;
constexpr std::size_t kHours = 72;
/// A timer's period and its delay: by then every machine knows of a release.
constexpr auto kAllKnow = 16h;
constexpr auto kSpread = 24h;

const Time kStart = std::chrono::system_clock::from_time_t(1'795'305'600);  // 2026-11-22 00:00 UTC
const Time kPublished = kStart + 24h;

Registry release(policy::Rollout rollout) {
    Registry registry;
    registry.digest = "sha256:0123";
    registry.published = kPublished;
    registry.rollout = std::move(rollout);
    return registry;
}

struct Ran {
    Registry registry;
    std::size_t updated;
};

Ran run(Registry registry,
        settings::PolicySettings policy = {},
        std::chrono::hours time = std::chrono::hours(kHours)) {
    Fleet fleet(kMachines, std::move(policy), kStart);
    fleet.run(registry, kPublished + time);
    const std::size_t updated = fleet.updated();
    return {std::move(registry), updated};
}

std::vector<int> hourly(const std::vector<Time>& times) {
    return histogram(times, kPublished, 60min, kHours);
}

Ran announced() {
    return run(release({kPublished + kAllKnow, kSpread, {}}));
}

Ran by_settings() {
    settings::PolicySettings policy;
    policy.rollout_spread = kSpread;
    return run(release({}), policy);
}

Ran at_once() {
    return run(release({}));
}

/// Down for twelve hours from the release on.
Ran outage(const settings::PolicySettings& policy = {}) {
    Registry registry = release({});
    registry.open = [](Time now) { return now < kPublished || now >= kPublished + 12h; };
    return run(std::move(registry), policy);
}

int most_of(const std::vector<int>& hours) {
    return *std::max_element(hours.begin(), hours.end());
}

// Given a start that all have heard of, then each hour of the spread sees its share: 41.7 of 1,000,
// within four times the standard deviation of a fair draw (6.3), and the sum of squares is one that
// chance gives in 999 of 1,000 cases (chi-square with 23 degrees of freedom: 49.7).
TEST(Fleet, FetchesAreFlatOverTheSpread) {
    const Ran ran = announced();
    EXPECT_EQ(ran.updated, kMachines);
    const auto hours = hourly(ran.registry.fetches);
    const double mean = double(kMachines) / kSpread.count();
    double squares = 0;
    for (std::size_t hour = 0; hour < hours.size(); ++hour) {
        const bool within = hour >= std::size_t(kAllKnow.count()) &&
                            hour < std::size_t((kAllKnow + kSpread).count());
        if (!within) {
            EXPECT_EQ(hours[hour], 0) << hour;
            continue;
        }
        EXPECT_NEAR(hours[hour], mean, 4 * std::sqrt(mean)) << hour;
        squares += (hours[hour] - mean) * (hours[hour] - mean) / mean;
    }
    EXPECT_LT(squares, 49.7);
}

// Without an announced start it counts from when a machine hears of it: up and down over a period
// of the timer, and never above what the spread alone allows.
TEST(Fleet, ASpreadBySettingsStaysBelowItsShare) {
    const Ran ran = by_settings();
    EXPECT_EQ(ran.updated, kMachines);
    const double mean = double(kMachines) / kSpread.count();
    for (const int hour : hourly(ran.registry.fetches))
        EXPECT_LE(hour, mean + 4 * std::sqrt(mean));
    // And without any spread the timers' own jitter bounds it: 1,000 within at most 16 hours.
    const double timers = double(kMachines) / 12;
    for (const int hour : hourly(at_once().registry.fetches))
        EXPECT_LE(hour, timers + 4 * std::sqrt(timers));
}

// Before, during and after a release the checks come as evenly as before.
TEST(Fleet, ChecksStayFlat) {
    const Ran ran = announced();
    const auto hours = hourly(ran.registry.checks);
    // A machine that waits for its turn checks once more then.
    const double most = double(kMachines) / 12 + double(kMachines) / kSpread.count();
    for (const int hour : hours)
        EXPECT_LE(hour, most + 4 * std::sqrt(most));
}

// The machines know nothing of each other, so that each draws for itself: of 1,000 one in four
// comes to 25 % with a standard deviation of 1.4, which two points are 1.5 of. One release may miss
// them (this one comes to 27.2), the mean of twenty may not, and none may be beyond what chance
// gives.
TEST(Fleet, PercentagesAreHitWithinTwo) {
    constexpr int kReleases = 20;
    for (const unsigned percent : {0U, 1U, 5U, 10U, 25U, 50U, 75U, 100U}) {
        const double share = percent / 100.0;
        const double deviation = 100 * std::sqrt(share * (1 - share) / kMachines);
        double sum = 0;
        for (int number = 0; number < kReleases; ++number) {
            Registry registry = release({kPublished, 0h, percent});
            registry.digest += std::to_string(number);
            const Ran ran = run(std::move(registry), {}, kAllKnow);
            const double hit = double(ran.updated) * 100 / kMachines;
            EXPECT_NEAR(hit, percent, 4 * deviation + 1e-9) << number;
            EXPECT_EQ(ran.registry.fetches.size(), ran.updated);
            sum += hit;
        }
        EXPECT_NEAR(sum / kReleases, percent, 2);
    }
}

// A fleet ten times as large hits within two points with every release.
TEST(Fleet, PercentagesAreHitByEveryRelease) {
    for (int number = 0; number < 20; ++number) {
        std::vector<double> shares;
        for (int machine = 0; machine < 10'000; ++machine) {
            shares.push_back(policy::share_of("machine " + std::to_string(machine),
                                              "sha256:" + std::to_string(number)));
        }
        for (const double percent : {1.0, 5.0, 25.0, 50.0, 90.0}) {
            const auto in = std::count_if(
                shares.begin(), shares.end(), [&](double share) { return share * 100 < percent; });
            EXPECT_NEAR(double(in) / 100, percent, 2) << number;
        }
    }
}

// A step up must not take back those who had it, and reaches as many new ones as it says.
TEST(Fleet, AStepUpKeepsWhoWasIn) {
    for (int machine = 0; machine < 1000; ++machine) {
        const double share = policy::share_of("machine " + std::to_string(machine), "sha256:1");
        const settings::PolicySettings policy;
        const bool early = policy::turn({kStart, 0h, 5}, policy, kStart, share).has_value();
        const bool late = policy::turn({kStart, 0h, 50}, policy, kStart, share).has_value();
        EXPECT_TRUE(!early || late);
    }
}

// Given a registry that is down for twelve hours, then each machine knocks a few times and ever
// more seldom, and when it is back they come over hours: a fleet that tries each 15 minutes is the
// measure.
TEST(Fleet, FailuresBackOff) {
    settings::PolicySettings stubborn;
    stubborn.backoff_max = stubborn.backoff;
    const Ran ran = outage();
    const Ran measure = outage(stubborn);
    EXPECT_EQ(ran.updated, kMachines);
    // Half of 15 min at least, doubled: 7.5 + 15 + 30 + 60 + 120 + 240 minutes are eight hours, so
    // that twelve have room for seven or eight.
    EXPECT_LE(ran.registry.refused.size(), kMachines * 8);
    EXPECT_LT(ran.registry.refused.size() * 4, measure.registry.refused.size());
    EXPECT_LT(most_of(hourly(ran.registry.fetches)) * 2, most_of(hourly(measure.registry.fetches)));
    const auto refused = hourly(ran.registry.refused);
    EXPECT_EQ(std::accumulate(refused.begin() + 12, refused.end(), 0), 0);
}

TEST(Fleet, TheCurvesAreThoseOfThePicture) {
    const auto flat = hourly(announced().registry.fetches);
    const auto spread = hourly(by_settings().registry.fetches);
    const auto once = hourly(at_once().registry.fetches);
    const Ran down = outage();
    const auto refused = hourly(down.registry.refused);
    const auto after = hourly(down.registry.fetches);
    std::ostringstream out;
    out << "hour,announced,by_settings,at_once,outage_refused,outage_fetched\n";
    for (std::size_t hour = 0; hour < kHours; ++hour) {
        out << hour << ',' << flat[hour] << ',' << spread[hour] << ',' << once[hour] << ','
            << refused[hour] << ',' << after[hour] << '\n';
    }
    if (std::getenv("CFS_UPDATE_LISTING") != nullptr) std::ofstream(CFS_CURVES) << out.str();
    std::ostringstream kept;
    kept << std::ifstream(CFS_CURVES).rdbuf();
    EXPECT_EQ(kept.str(), out.str())
        << "if that is meant, run it with CFS_UPDATE_LISTING=1, then plot.py, and look at it";
}

}  // namespace
}  // namespace cfs::test
