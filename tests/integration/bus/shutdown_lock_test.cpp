// SPDX-License-Identifier: Apache-2.0
// A shutdown waits while an update fetches, and is kept away while it commits.
#include "bus_client.hpp"
#include "fake_system.hpp"
#include "service_site.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace cfs::test {
namespace {

using namespace std::chrono_literals;
using Locks = std::vector<std::string>;

class BusShutdownLock : public testing::Test {
 protected:
    /// An update that stands at a door in each of these stages.
    void go_through(std::vector<std::string> stages) {
        site_.engine.set_verb([this, stages = std::move(stages)](update::ProgressSink& progress,
                                                                 const std::stop_token& stop) {
            for (std::size_t at = 0; at < stages.size(); ++at) {
                progress.stage(stages[at]);
                doors_.at(at).pass(stop);
            }
        });
        site_.start({20ms});
    }

    bool holds(const Locks& locks) {
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (system_.held() != locks) {
            if (std::chrono::steady_clock::now() > end) return false;
            std::this_thread::sleep_for(3ms);
        }
        return true;
    }

    ServiceSite site_;
    std::array<Door, 3> doors_;
    FakeSystem system_{site_.bus.address()};
};

TEST_F(BusShutdownLock, IsTakenByWhatAJobDoes) {
    system_.appear(FakeSystem::kLogin);
    go_through({"fetch", "finalize"});
    BusClient client(site_.bus.address());
    EXPECT_TRUE(holds({}));
    const std::string job = client.start("Update");
    EXPECT_TRUE(holds({"shutdown delay"}));
    doors_[0].open();
    EXPECT_TRUE(holds({"shutdown block"}));
    doors_[1].open();
    EXPECT_EQ(client.wait_for_end(job).state, "done");
    EXPECT_TRUE(holds({}));
    EXPECT_EQ(system_.count("Inhibit shutdown delay"), 1U);
    EXPECT_EQ(system_.count("Inhibit shutdown block"), 1U);
}

TEST_F(BusShutdownLock, NoneIsTakenForWhatChangesNothing) {
    system_.appear(FakeSystem::kLogin);
    go_through({"verify"});
    doors_[0].open();
    BusClient client(site_.bus.address());
    EXPECT_EQ(client.wait_for_end(client.start("Verify")).state, "done");
    EXPECT_EQ(client.wait_for_end(client.start("Check")).state, "done");
    EXPECT_TRUE(system_.calls().empty());
}

TEST_F(BusShutdownLock, AShutdownStopsWhatIsFetched) {
    system_.appear(FakeSystem::kLogin);
    go_through({"fetch"});
    BusClient client(site_.bus.address());
    const std::string job = client.start("Update");
    ASSERT_TRUE(holds({"shutdown delay"}));
    system_.set("PreparingForShutdown", true);
    system_.prepare_for_shutdown();
    EXPECT_EQ(client.wait_for_end(job).state, "cancelled");
    EXPECT_TRUE(holds({})) << "logind goes on at once";
}

// Anybody on the bus can send that signal.
TEST_F(BusShutdownLock, ASignalAloneStopsNothing) {
    system_.appear(FakeSystem::kLogin);
    go_through({"fetch"});
    BusClient client(site_.bus.address());
    const std::string job = client.start("Update");
    ASSERT_TRUE(holds({"shutdown delay"}));
    system_.set("PreparingForShutdown", false);
    system_.prepare_for_shutdown();
    for (int i = 0; i < 1000 && system_.count("GetAll") == 0; ++i)
        std::this_thread::sleep_for(5ms);
    EXPECT_EQ(system_.count("GetAll"), 1U) << "logind is asked";
    doors_[0].open();
    EXPECT_EQ(client.wait_for_end(job).state, "done");
}

TEST_F(BusShutdownLock, WithoutLogindAnUpdateGoesOn) {
    go_through({"fetch", "finalize"});
    doors_[0].open();
    doors_[1].open();
    BusClient client(site_.bus.address());
    EXPECT_EQ(client.wait_for_end(client.start("Update")).state, "done");
}

}  // namespace
}  // namespace cfs::test
