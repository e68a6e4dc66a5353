// SPDX-License-Identifier: Apache-2.0
// What the policy has to remember: kept before it counts.
#include "automatic_site.hpp"

#include <atomic>
#include <mutex>

namespace cfs::test {
namespace {

TEST_F(BusAutomatic, WhatIsRememberedIsKept) {
    const auto kept = std::make_shared<std::string>();
    const auto mutex = std::make_shared<std::mutex>();
    site_.automatic.storage.save = [kept, mutex](const std::string& text) {
        const std::lock_guard lock(*mutex);
        *kept = text;
    };
    system_.set("Metered", 1U);
    site_.start();
    EXPECT_EQ(client().call_with_options("Update", kAutomatic), "ok");
    ASSERT_TRUE(until([&] { return blockers().contains("metered"); }));
    ASSERT_TRUE(until([&] {
        const std::lock_guard lock(*mutex);
        return !kept->empty();
    }));
    const std::lock_guard lock(*mutex);
    const auto now = std::chrono::system_clock::now();
    const PolicyMemory memory = PolicyMemory::from_text(*kept, now);
    EXPECT_EQ(memory.digest, "sha256:aa");
    EXPECT_LT(now - memory.first_seen, 20s);
    EXPECT_FALSE(memory.owes_reboot);
}

TEST_F(BusAutomatic, APolicyThatIsSetIsKeptShownAndObeyed) {
    const auto kept = std::make_shared<std::atomic<bool>>();
    site_.automatic.storage.save = [kept](const std::string& text) {
        *kept = text.find("allow_metered") != std::string::npos;
    };
    system_.set("Metered", 1U);
    site_.start();
    EXPECT_EQ(client().call_with_options("Update", kAutomatic), "ok");
    ASSERT_TRUE(until([&] { return blockers().contains("metered"); }));
    EXPECT_EQ(client().call_with_options("SetPolicy", {{"allow_metered", sdbus::Variant{true}}}),
              "ok");
    EXPECT_TRUE(*kept) << "before the answer";
    EXPECT_TRUE(comes(kStage)) << "what waited goes by it";
    const auto policy = value<bus::VariantMap>(client().manager(), "Policy");
    EXPECT_TRUE(value<bool>(policy, "allow_metered"));
    EXPECT_EQ(value<std::vector<std::string>>(policy, "set"),
              std::vector<std::string>{"allow_metered"});
    EXPECT_EQ(client()
                  .call_with_options("SetPolicy", {{"nonsense", sdbus::Variant{true}}})
                  .rfind("org.freedesktop.DBus.Error.InvalidArgs: policy key 'nonsense'", 0),
              0U);
}

TEST_F(BusAutomatic, APolicyThatCannotBeKeptIsNotObeyed) {
    site_.automatic.storage.save = [](const std::string&) {
        throw Error(ErrorCode::NoSpace, "the disk is full");
    };
    site_.start();
    EXPECT_EQ(client().call_with_options("SetPolicy", {{"allow_metered", sdbus::Variant{true}}}),
              "org.cfsupdate1.Error.NoSpace: the disk is full");
    const auto policy = value<bus::VariantMap>(client().manager(), "Policy");
    EXPECT_FALSE(value<bool>(policy, "allow_metered"));
    EXPECT_TRUE(value<std::vector<std::string>>(policy, "set").empty());
}

}  // namespace
}  // namespace cfs::test
