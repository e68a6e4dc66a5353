// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bus_client.hpp"
#include "fake_system.hpp"
#include "service_site.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <thread>

namespace cfs::test {

using namespace std::chrono_literals;
using service::Automatic;
using service::PolicyMemory;
using settings::PolicyLevel;
using Blockers = std::vector<sdbus::Struct<std::string, std::string>>;

inline const bus::VariantMap kAutomatic{{"automatic", sdbus::Variant{true}}};
inline constexpr const char* kCheck = "check image=";
inline constexpr const char* kStage = "update image= finalize=1 digest=sha256:aa";
inline constexpr const char* kDownload =
    "update image= finalize=0 locked for-anyone digest=sha256:aa";

/// A daemon with a policy, and an engine that has something newer.
class BusAutomatic : public testing::Test {
 protected:
    BusAutomatic() {
        site_.automatic.policy.automatic = PolicyLevel::Stage;
        site_.automatic.machine = "m";
        site_.automatic.conditions = {300ms, 10ms};
        offer({});
        for (const char* name : {FakeSystem::kNetwork, FakeSystem::kPower, FakeSystem::kLogin})
            system_.appear(name);
    }

    /// From now on there is something newer.
    void offer(std::map<std::string, std::string> annotations) {
        update::Status status;
        update::Available available;
        available.version = "2";
        available.manifest_digest = "sha256:aa";
        available.annotations = std::move(annotations);
        status.available = available;
        site_.engine.check_result = {true, available};
        site_.engine.set_status(status);
    }

    BusClient& client() {
        if (!client_) client_ = std::make_unique<BusClient>(site_.bus.address());
        return *client_;
    }

    std::map<std::string, std::string> blockers() {
        std::map<std::string, std::string> out;
        for (const auto& each : value<Blockers>(client().manager(), "Blockers"))
            out[each.get<0>()] = each.get<1>();
        return out;
    }

    static bool until(const std::function<bool()>& done) {
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (!done()) {
            if (std::chrono::steady_clock::now() > end) return false;
            std::this_thread::sleep_for(3ms);
        }
        return true;
    }

    std::size_t count(const std::string& call) {
        const auto calls = site_.engine.calls();
        return static_cast<std::size_t>(std::count(calls.begin(), calls.end(), call));
    }

    bool comes(const std::string& call, std::size_t times = 1) {
        return until([&] { return count(call) >= times; });
    }

    bool rests() {
        return until([&] {
            return blockers().empty() && value<std::string>(client().manager(), "State") == "idle";
        });
    }

    /// A daemon that was started between an installation and the reboot after it.
    void owe_reboot(const std::string& soft_reboot_problem) {
        site_.automatic.policy.automatic = PolicyLevel::Apply;
        PolicyMemory memory;
        memory.owes_reboot = true;
        memory.soft_tried = soft_tried;
        site_.automatic.storage.load = [text = memory.to_text()] { return text; };
        update::Status status;
        status.staged = update::DeploymentInfo{};
        status.staged->digest = "aa";
        status.soft_reboot_problem = soft_reboot_problem;
        site_.engine.set_status(status);
        site_.start();
    }

    /// Given a machine that is like `bring` made it, then it checks, waits, says so, and installs
    /// when `pass` has made it otherwise.
    void waits(const char* kind,
               const std::string& text,
               const std::function<void()>& bring,
               const std::function<void()>& pass) {
        bring();
        site_.start();
        EXPECT_EQ(client().call_with_options("Update", kAutomatic), "ok");
        ASSERT_TRUE(until([&] { return blockers().contains(kind); })) << kind;
        EXPECT_EQ(blockers()[kind].rfind(text, 0), 0U) << blockers()[kind];
        EXPECT_EQ(blockers().size(), 1U);
        EXPECT_EQ(count(kCheck), 1U);
        EXPECT_EQ(count(kStage), 0U);
        EXPECT_TRUE(client().wait_for([](const Heard& heard) {
            return heard.path == bus::kManagerPath && heard.changed.contains("Blockers");
        }));
        pass();
        EXPECT_TRUE(comes(kStage)) << kind;
        EXPECT_TRUE(rests());
    }

    std::string soft_tried;  ///< remembered, for owe_reboot()
    ServiceSite site_;
    FakeSystem system_{site_.bus.address()};
    std::unique_ptr<BusClient> client_;
};

}  // namespace cfs::test
