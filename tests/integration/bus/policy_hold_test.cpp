// SPDX-License-Identifier: Apache-2.0
// What policy remembers, what is set over the configuration, and whom it holds.
#include "fake_system.hpp"
#include "service/automatic.hpp"
#include "support/private_bus.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace cfs::test {
namespace {

using namespace std::chrono_literals;
using service::Automatic;
using service::PolicyMemory;

sdbus::Variant text(const char* words) {
    return sdbus::Variant{std::string(words)};
}

TEST(PolicyOverrides, AreLaidOverTheConfigurationAndReset) {
    settings::PolicySettings configured;
    configured.battery_least = 55;
    configured.allow_metered = true;
    const auto set = service::changed_by(
        {{"automatic", text("apply")},
         {"windows", sdbus::Variant{std::vector<std::string>{"Mon..Fri 02:00-04:30"}}},
         {"battery_least", sdbus::Variant{std::uint64_t{5}}},
         {"ac_least", sdbus::Variant{std::int64_t{6}}},
         {"max_age", text("48h")}},
        {});
    const auto policy = service::laid_over(configured, set);
    EXPECT_EQ(policy.automatic, settings::PolicyLevel::Apply);
    EXPECT_EQ(policy.windows, std::vector{*settings::parse_window("Mon..Fri 02:00-04:30")});
    EXPECT_EQ(policy.battery_least, 5U);
    EXPECT_EQ(policy.ac_least, 6U);
    EXPECT_EQ(policy.max_age, 48h);
    EXPECT_TRUE(policy.allow_metered);
    const sdbus::Variant some{std::vector<std::string>{"battery_least"}};
    EXPECT_EQ(
        service::laid_over(configured, service::changed_by({{"reset", some}}, set)).battery_least,
        55U);
    const sdbus::Variant none{std::vector<std::string>{}};
    EXPECT_TRUE(service::changed_by({{"reset", none}}, set).empty());
    PolicyMemory memory;
    memory.overrides = set;
    EXPECT_EQ(PolicyMemory::from_text(memory.to_text(), policy::Time{}).overrides, set);
}

TEST(PolicyOverrides, WhatIsWrongChangesNothing) {
    for (const auto& [name, value] :
         std::map<std::string, sdbus::Variant>{{"nonsense", text("x")},
                                               {"automatic", text("all")},
                                               {"allow_metered", text("true")},
                                               {"battery_least", sdbus::Variant{101.5}},
                                               {"ac_least", sdbus::Variant{std::uint64_t{101}}},
                                               {"windows", text("02:00-03:00")},
                                               {"reset", text("automatic")}}) {
        try {
            static_cast<void>(service::changed_by({{"idle", text("never")}, {name, value}}, {}));
            ADD_FAILURE() << "accepted: " << name;
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::InvalidArgs) << name;
            EXPECT_NE(std::string(e.what()).find("'" + name + "'"), std::string::npos) << e.what();
        }
    }
}

// A record of a newer version, or one that somebody wrote into.
TEST(PolicyOverrides, WhatIsNotAllowedAnyMoreIsPassedOver) {
    const settings::PolicySettings configured;
    EXPECT_EQ(service::laid_over(configured,
                                 {{"automatic", "\"everything\""},
                                  {"x = 1\nautomatic", "\"none\""},
                                  {"idle", "\"never\"\n[update]\nkeep = 7"}})
                  .automatic,
              configured.automatic);
}

TEST(PolicyOverrides, AreShownWithAllKeys) {
    const auto set = service::changed_by({{"automatic", text("check")}}, {});
    const auto dict = service::policy_dict(service::laid_over({}, set), set);
    EXPECT_EQ(std::get<std::string>(dict.at("automatic")), "check");
    EXPECT_EQ(std::get<std::uint64_t>(dict.at("battery_least")), 40U);
    EXPECT_EQ(std::get<bool>(dict.at("allow_metered")), false);
    EXPECT_EQ(std::get<std::string>(dict.at("backoff")), "15min");
    EXPECT_EQ(std::get<service::StringList>(dict.at("set")), service::StringList{"automatic"});
    EXPECT_EQ(dict.size(), 16U);
}

TEST(PolicyMemory, IsReadBackAndNotTrusted) {
    const policy::Time now = std::chrono::system_clock::from_time_t(1'795'305'600);
    PolicyMemory memory;
    memory.digest = "sha256:aa";
    memory.first_seen = now - 5h;
    memory.failures = {3, now - 1h};
    memory.owes_reboot = true;
    const PolicyMemory again = PolicyMemory::from_text(memory.to_text(), now);
    EXPECT_EQ(again.to_text(), memory.to_text());
    for (const char* text : {"", "{", "[]", "null", "{\"digest\":5,\"failures\":\"x\"}"})
        EXPECT_EQ(PolicyMemory::from_text(text, now).to_text(), PolicyMemory{}.to_text()) << text;
    const PolicyMemory odd = PolicyMemory::from_text(
        R"({"first-seen":9223372036854775807,"failures":9223372036854775807,"last-failure":-5})",
        now);
    EXPECT_EQ(odd.first_seen, now);
    EXPECT_EQ(odd.failures.count, 1'000'000U);
    EXPECT_EQ(odd.failures.last, policy::Time{});
}

// Without the bus, because there nobody but root may call without polkit.
TEST(Automatic, AStrictPolicyHoldsAUserAndNotRoot) {
    const PrivateBus bus;
    FakeSystem system(bus.address());
    system.appear(FakeSystem::kNetwork);
    system.set("Metered", 1U);
    boost::asio::io_context io;
    const auto connection = bus::connect(bus.address());
    service::BusPump pump(io, *connection, [](const std::string&) {}, {});
    pump.start();
    Automatic::Config config;
    config.policy.strict = {"metered"};
    config.conditions = {300ms, 10ms};
    update::Status status;
    std::uint64_t jobs = 0;
    Automatic automatic(
        io,
        *connection,
        pump,
        config,
        {[&](const service::JobRequest&, const service::Initiator&) { return ++jobs; },
         [] { return std::uint64_t{0}; },
         [](std::uint64_t) {},
         [&]() -> const update::Status& { return status; },
         [] {}});
    service::JobRequest update;
    update.kind = service::JobKind::Update;
    std::vector<std::string> answers;
    const auto note = [&](const std::variant<Error, std::uint64_t>& answer) {
        const auto* error = std::get_if<Error>(&answer);
        answers.emplace_back(error == nullptr ? "accepted" : to_string(error->code()));
    };
    automatic.submit(update, {0, ":1.0"}, note);
    EXPECT_EQ(answers, std::vector<std::string>{"accepted"}) << "at once";
    // Two at the same time: the first answer must not take the other's knowledge away.
    automatic.submit(update, {1000, ":1.1"}, note);
    update.kind = service::JobKind::Stage;
    automatic.submit(update, {1000, ":1.2"}, note);
    const auto end = std::chrono::steady_clock::now() + 5s;
    while (answers.size() < 3 && std::chrono::steady_clock::now() < end)
        io.run_for(5ms);
    EXPECT_EQ(answers, (std::vector<std::string>{"accepted", "Metered", "Metered"}));
    EXPECT_EQ(jobs, 1U);
    pump.stop();
}

}  // namespace
}  // namespace cfs::test
