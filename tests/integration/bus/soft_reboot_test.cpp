// SPDX-License-Identifier: Apache-2.0
// The method SoftReboot: what it refuses, and what logind is asked for.
#include "bus_client.hpp"
#include "fake_system.hpp"
#include "service_site.hpp"

#include <gtest/gtest.h>

namespace cfs::test {
namespace {

class BusSoftReboot : public testing::Test {
 protected:
    BusSoftReboot() {
        system_.appear(FakeSystem::kLogin);
        update::DeploymentInfo staged;
        staged.version = "2";
        staged.digest = "aa";
        status_.staged = staged;
        site_.engine.set_status(status_);
    }

    std::string call(const bus::VariantMap& options = {}) {
        if (!client_) client_ = std::make_unique<BusClient>(site_.bus.address());
        return client_->call_with_options("SoftReboot", options);
    }

    ServiceSite site_;
    FakeSystem system_{site_.bus.address()};
    update::Status status_;
    std::unique_ptr<BusClient> client_;
};

TEST_F(BusSoftReboot, LeadsToWhatWaitsAndAsksLogind) {
    site_.start();
    EXPECT_EQ(call(), "ok");
    EXPECT_EQ(site_.engine.wanted_soft_reboot(), "aa");
    EXPECT_EQ(system_.count("RebootWithFlags 5"), 1U) << "soft, and not against inhibitors";
}

TEST_F(BusSoftReboot, IsRefusedWhereItIsNotEnough) {
    status_.soft_reboot_problem = "its kernel is another one";
    site_.engine.set_status(status_);
    site_.start();
    EXPECT_EQ(call(),
              "org.cfsupdate1.Error.Unsupported: no soft reboot leads to version 2: its kernel is "
              "another one\nHint: 'systemctl reboot' does.");
    EXPECT_EQ(value<std::string>(client_->manager(), "SoftRebootProblem"),
              "its kernel is another one");
    EXPECT_EQ(site_.engine.wanted_soft_reboot(), "");
    EXPECT_EQ(system_.count("RebootWithFlags 5"), 0U);
}

TEST_F(BusSoftReboot, IsRefusedWhenNothingWaits) {
    site_.engine.set_status({});
    site_.start();
    EXPECT_EQ(call().rfind("org.cfsupdate1.Error.NotFound: no other version waits", 0), 0U);
    EXPECT_EQ(system_.count("RebootWithFlags 5"), 0U);
}

TEST_F(BusSoftReboot, WhatCannotBeLedIsNotBegun) {
    site_.engine.soft_reboot_error.emplace(ErrorCode::Unsupported, "there is none");
    site_.start();
    EXPECT_EQ(call(), "org.cfsupdate1.Error.Unsupported: there is none");
    EXPECT_EQ(system_.count("RebootWithFlags 5"), 0U);
}

TEST_F(BusSoftReboot, SaysWhatLogindSays) {
    system_.set_inhibitors({{"shutdown", "Writer", "a CD is burnt", "block"}});
    site_.start();
    const std::string answer = call();
    EXPECT_EQ(answer.rfind("org.cfsupdate1.Error.Unsupported: logind does not start", 0), 0U);
    EXPECT_NE(answer.find("active block inhibitor"), std::string::npos) << answer;
    EXPECT_EQ(site_.engine.wanted_soft_reboot(), "") << "the next one is not for this";
}

TEST_F(BusSoftReboot, TakesNoOptions) {
    site_.start();
    EXPECT_NE(call({{"now", sdbus::Variant{true}}}).find("InvalidArgs"), std::string::npos);
}

}  // namespace
}  // namespace cfs::test
