// SPDX-License-Identifier: Apache-2.0
// What policy comes to is daemon/policy/DECISIONS.md; with CFS_UPDATE_LISTING set this test writes
// that file anew.
#include "policy/rules.hpp"
#include "time_zone.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>

namespace cfs::policy {
namespace {

using namespace std::chrono_literals;
using settings::PolicyLevel;
using settings::PolicySettings;

const Time kNow = test::utc("2026-11-22 12:00:00");

struct Scene {
    const char* name;
    std::function<void(PolicySettings&, Question&)> bring;
};

std::vector<Scene> scenes() {
    const auto outside = std::vector{*settings::parse_window("02:00-04:00")};
    return {
        {"nothing", [](auto&, auto&) {}},
        {"metered", [](auto&, auto& q) { q.conditions.metered = true; }},
        {"metered, `allow_metered`",
         [](auto& p, auto& q) {
             q.conditions.metered = true;
             p.allow_metered = true;
         }},
        {"metered, `strict`",
         [](auto& p, auto& q) {
             q.conditions.metered = true;
             p.strict = {"metered"};
         }},
        {"metered, older than `max_age`",
         [](auto&, auto& q) {
             q.conditions.metered = true;
             q.release.first_seen = kNow - 673h;
         }},
        {"on battery with 20 %",
         [](auto&, auto& q) {
             q.conditions.on_battery = true;
             q.conditions.battery_percent = 20;
         }},
        {"on battery with 80 %",
         [](auto&, auto& q) {
             q.conditions.on_battery = true;
             q.conditions.battery_percent = 80;
         }},
        {"somebody works there", [](auto&, auto& q) { q.conditions.idle = false; }},
        {"somebody works there, `idle = \"always\"`",
         [](auto& p, auto& q) {
             q.conditions.idle = false;
             p.idle = settings::IdleWait::Always;
         }},
        {"a program blocks shutdown", [](auto&, auto& q) { q.conditions.blocks_shutdown = {"x"}; }},
        {"it shuts down", [](auto&, auto& q) { q.conditions.shutting_down = true; }},
        {"outside `windows`", [outside](auto& p, auto&) { p.windows = outside; }},
        {"outside `windows`, `strict`",
         [outside](auto& p, auto&) {
             p.windows = outside;
             p.strict = {"outside-window"};
         }},
        {"outside `reboot_windows`", [outside](auto& p, auto&) { p.reboot_windows = outside; }},
        {"rollout: not its turn", [](auto&, auto& q) { q.release.rollout.percent = 0; }},
        {"failed just now",
         [](auto&, auto& q) {
             q.failures = {1, kNow};
         }},
    };
}

constexpr std::array kSteps{Step::Check, Step::Download, Step::Stage, Step::Reboot};
constexpr std::array<const char*, 4> kDone{"checks", "downloads", "stages", "reboots"};

std::string names(const std::vector<Blocker>& blockers) {
    std::string out;
    for (const Blocker& blocker : blockers)
        out += (out.empty() ? "" : ", ") + std::string(to_string(blocker.reason));
    return out;
}

/// How far it comes, and what keeps it from going on.
std::string outcome(const PolicySettings& policy, Question question, Step last) {
    std::string far = "nothing";
    for (const Step step : kSteps) {
        if (step > last) break;
        question.step = step;
        const auto blockers = decide(policy, question);
        if (!blockers.empty()) return far + "; waits: " + names(blockers);
        far = kDone.at(static_cast<std::size_t>(step));
    }
    return far;
}

std::string cell(PolicyLevel level, const Scene& scene, Trigger trigger) {
    PolicySettings policy;
    policy.automatic = level;
    Question question;
    question.trigger = trigger;
    question.now = kNow;
    question.release = {"sha256:aa", kNow - 1h, {}};
    scene.bring(policy, question);
    const auto last = trigger == Trigger::Timer ? goal(level) : Step::Stage;
    return last ? outcome(policy, question, *last) : "nothing";
}

void automatic(std::ostream& out) {
    out << "## The timer\n\n| what is | `none` | `check` | `download` | `stage` | `apply` "
           "|\n|---|---|---|---|---|---|\n";
    for (const Scene& scene : scenes()) {
        out << "| " << scene.name;
        for (const auto& [word, level] : settings::kPolicyLevels)
            out << " | " << cell(level, scene, Trigger::Timer);
        out << " |\n";
    }
}

void persons(std::ostream& out) {
    out << "\n## A person's update\n\nWhatever `policy.automatic` says.\n\n"
           "| what is | software center | `cfsctl` | root |\n|---|---|---|---|\n";
    for (const Scene& scene : scenes()) {
        out << "| " << scene.name;
        for (const Trigger trigger : {Trigger::Gui, Trigger::Cli, Trigger::Admin}) {
            const std::string is = cell(PolicyLevel::None, scene, trigger);
            for (const auto& [word, level] : settings::kPolicyLevels)
                EXPECT_EQ(cell(level, scene, trigger), is) << scene.name;
            out << " | " << is;
        }
        out << " |\n";
    }
}

void reasons(std::ostream& out) {
    out << "\n## The rules\n\n| name | error | steps | a person | root | `max_age` | why |\n"
           "|---|---|---|---|---|---|---|\n";
    for (const Reason reason : kReasons) {
        const Rule& rule = rule_of(reason);
        std::string steps;
        for (const auto& [is, word] : {std::pair{rule.check, "check"},
                                       std::pair{rule.fetch, "download, stage"},
                                       std::pair{rule.reboot, "reboot"}})
            if (is) steps += (steps.empty() ? "" : ", ") + std::string(word);
        constexpr std::array<const char*, 3> kPerson{"passes", "held if in `strict`", "held"};
        out << "| " << rule.name << " | `" << to_string(rule.code) << "` | " << steps << " | "
            << kPerson.at(static_cast<std::size_t>(rule.person)) << " | "
            << (rule.admin ? "held" : "passes") << " | "
            << (rule.ages ? rule.ages_reboot || !rule.reboot ? "releases it"
                                                             : "releases it, not for a reboot"
                          : "no")
            << " | " << rule.why << " |\n";
    }
}

TEST(Decisions, AreWhatTheDocumentSays) {
    const test::TimeZone zone("UTC");
    std::ostringstream out;
    out << "# What policy comes to\n\nMade by `tests/unit/policy/listing_test.cpp` from "
           "`decide()`; run it with `CFS_UPDATE_LISTING=1` to make it anew.\nEach cell is the last "
           "step that is done, and what the next one waits for. Settings beside those named have "
           "their defaults.\nOther programs' inhibitors (`cfsctl inhibit`) hold all but root's "
           "`--ignore-inhibitors` besides, up to `update.inhibit_max_age`.\n\n";
    automatic(out);
    persons(out);
    reasons(out);
    if (std::getenv("CFS_UPDATE_LISTING") != nullptr) std::ofstream(CFS_DECISIONS) << out.str();
    std::ostringstream kept;
    kept << std::ifstream(CFS_DECISIONS).rdbuf();
    EXPECT_EQ(kept.str(), out.str())
        << "if that is meant, run it with CFS_UPDATE_LISTING=1 and read what changed";
}

}  // namespace
}  // namespace cfs::policy
