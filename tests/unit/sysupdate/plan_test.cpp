// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/plan.hpp"

#include "client/sysupdate/names.hpp"

#include <gtest/gtest.h>

namespace cfs::sysupdate {
namespace {

/// Version 1 is installed.
Known machine(const std::string& offered, const std::string& acquired) {
    Known known;
    known.installed = "1";
    const auto add = [&](const std::string& name, bool installed) {
        Version version;
        version.name = name;
        version.installed = installed;
        version.newest = known.versions.empty();
        known.versions.push_back(version);
    };
    if (!offered.empty()) {
        known.offer = Offer{offered, "sha256:" + offered};
        add(offered, false);
    }
    if (!acquired.empty()) {
        known.acquired = Offer{acquired, "sha256:" + acquired};
        add(acquired, false);
    }
    add("1", true);
    return known;
}

/// "Stage 2 lock digest", or the error's name.
std::string plan(const Wish& wish, const Known& known, bool checked = true) {
    const auto failed =
        checked ? std::nullopt : std::optional(bus::make_error("dead", "the registry is"));
    const auto outcome = make_plan(wish, known, failed);
    if (const auto* error = std::get_if<sdbus::Error>(&outcome)) return error->getName();
    const auto& found = std::get<Plan>(outcome);
    std::string out = found.method + " " + found.version;
    if (found.options.contains("lock")) out += " lock";
    const auto digest = found.options.find("expected-digest");
    if (digest != found.options.end()) out += " " + digest->second.get<std::string>();
    return out + (found.offline ? " offline" : "");
}

TEST(SysupdatePlan, OfWhatTheRegistryHas) {
    const Known known = machine("2", "");
    EXPECT_EQ(plan({Verb::Update, ""}, known), "Update 2 sha256:2");
    EXPECT_EQ(plan({Verb::Update, "2"}, known), "Update 2 sha256:2");
    EXPECT_EQ(plan({Verb::Acquire, ""}, known), "Stage 2 lock sha256:2");
    EXPECT_EQ(plan({Verb::Install, ""}, known), kNoCandidate);
    EXPECT_EQ(plan({Verb::Update, "1"}, known), kNoCandidate);
    for (const Verb verb : {Verb::Update, Verb::Acquire, Verb::Install})
        EXPECT_EQ(plan({verb, "7"}, known), kNoSuchVersion) << "NoCandidate would be success";
}

// The tag was moved back: there is nothing newer, and nothing is wrong.
TEST(SysupdatePlan, WhatIsOlderIsNoCandidate) {
    const auto older = bus::make_error(std::string(bus::kErrorPrefix) + "DowngradeRejected", "0");
    const auto outcome = make_plan({Verb::Update, ""}, machine("2", ""), older);
    EXPECT_EQ(std::string(std::get<sdbus::Error>(outcome).getName()), kNoCandidate);
}

TEST(SysupdatePlan, OfWhatWasAcquired) {
    const Known known = machine("", "2");
    EXPECT_EQ(plan({Verb::Update, ""}, known), "Finalize 2 offline");
    EXPECT_EQ(plan({Verb::Install, ""}, known), "Finalize 2 offline");
    EXPECT_EQ(plan({Verb::Install, "2"}, known), "Finalize 2 offline");
    EXPECT_EQ(plan({Verb::Install, "1"}, known), kNoCandidate);
    EXPECT_EQ(plan({Verb::Acquire, ""}, known), kNoCandidate);
    EXPECT_EQ(plan({Verb::Acquire, "2"}, known), kNoCandidate);
}

TEST(SysupdatePlan, WhatSomebodyElseLockedIsNotInstalled) {
    Known known = machine("", "");
    known.locked = Offer{"2", "sha256:2"};
    for (const Verb verb : {Verb::Update, Verb::Acquire, Verb::Install}) {
        for (const char* version : {"", "2"}) {
            EXPECT_EQ(plan({verb, version}, known), kNoCandidate);
            const auto outcome = make_plan({verb, version}, known, {});
            EXPECT_EQ(std::string(std::get<sdbus::Error>(outcome).getMessage()),
                      "version '2' is staged, but an administrator locked it: 'cfsctl finalize' "
                      "arms it");
        }
    }
    known.offer = Offer{"3", "sha256:3"};
    EXPECT_EQ(plan({Verb::Update, ""}, known), "Update 3 sha256:3");
    EXPECT_EQ(plan({Verb::Install, ""}, known), kNoCandidate);
    EXPECT_EQ(plan({Verb::Update, "2"}, known), kNoCandidate);
}

TEST(SysupdatePlan, SomethingNewerComesBeforeWhatWasAcquired) {
    const Known known = machine("3", "2");
    EXPECT_EQ(plan({Verb::Update, ""}, known), "Update 3 sha256:3");
    EXPECT_EQ(plan({Verb::Update, "2"}, known), "Finalize 2 offline") << "unless it is named";
    EXPECT_EQ(plan({Verb::Acquire, ""}, known), "Stage 3 lock sha256:3");
    EXPECT_EQ(plan({Verb::Install, ""}, known), "Finalize 2 offline");
    EXPECT_EQ(plan({Verb::Install, "3"}, known), kNoCandidate);
}

TEST(SysupdatePlan, WithoutARegistryOnlyWhatIsHereIsInstalled) {
    EXPECT_EQ(plan({Verb::Update, ""}, machine("2", ""), false), "dead");
    EXPECT_EQ(plan({Verb::Acquire, ""}, machine("2", ""), false), "dead");
    EXPECT_EQ(plan({Verb::Update, ""}, machine("3", "2"), false), "Finalize 2 offline");
    EXPECT_EQ(plan({Verb::Install, ""}, machine("3", "2"), false), "Finalize 2 offline");
    EXPECT_EQ(plan({Verb::Acquire, "2"}, machine("", "2"), false), kNoCandidate);
}

TEST(SysupdatePlan, NamingTheNewestNeedsNoMoreThanTheNewest) {
    const auto action = [](const std::string& version, const Known& known) {
        return std::string(action_of({Verb::Update, version}, known));
    };
    EXPECT_EQ(action("", machine("2", "")), kUpdate);
    EXPECT_EQ(action("2", machine("2", "")), kUpdate);
    EXPECT_EQ(action("1", machine("2", "")), kUpdateToVersion);
    EXPECT_EQ(action("7", machine("2", "")), kUpdateToVersion);
    EXPECT_EQ(action("1", machine("", "")), kUpdate) << "there is nothing newer";
    EXPECT_EQ(action("2", machine("3", "2")), kUpdate) << "what Acquire brought";
    EXPECT_EQ(action("2", {}), kUpdateToVersion);
}

TEST(SysupdatePlan, ARefusalSaysWhatThereIsInOneLine) {
    const auto outcome =
        make_plan({Verb::Update, "\x1b\n" + std::string(250, 'x')}, machine("2", ""), {});
    const std::string text = std::get<sdbus::Error>(outcome).getMessage();
    EXPECT_EQ(text.find_first_of("\x1b\n"), std::string::npos);
    EXPECT_LT(text.size(), 250U);
    EXPECT_NE(text.find("it offers '2'"), std::string::npos) << text;
}

}  // namespace
}  // namespace cfs::sysupdate
