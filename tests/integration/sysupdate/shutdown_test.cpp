// SPDX-License-Identifier: Apache-2.0
// What the daemon accepts in the moment in which the adapter ends. The adapter is in this process
// here, so that the test says when it looks at what came.
#include "adapter_site.hpp"
#include "client/sysupdate/adapter.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <thread>

namespace cfs::test {
namespace {

using namespace std::chrono_literals;

class Scene {
 public:
    Scene() {
        site.publish("2");
        site.set_update(
            {}, [&](update::ProgressSink&, const std::stop_token& stop) { door.pass(stop); });
        site.start_daemon();
        sysupdate::Adapter::Config config;
        config.bus = site.address();
        config.run_directory = dir / "run";
        adapter = std::make_unique<sysupdate::Adapter>(
            io, config, sysupdate::Adapter::Events{[] {}, [](const Error&) {}});
        adapter->start();
        center = std::make_unique<Center>(site.address());
    }

    /// Calls it; "ok JOB", or the error's name and text.
    std::future<std::string> call(const char* method) {
        return std::async(std::launch::async, [this, method] {
            try {
                return "ok " + center->start(method, "").path;
            } catch (const sdbus::Error& e) {
                return std::string(e.getName()) + ": " + std::string(e.getMessage());
            }
        });
    }

    /// The adapter looks at one thing after the other, until the daemon has begun: its answer is on
    /// its way then.
    bool run_until_the_daemon_accepted() {
        const auto deadline = std::chrono::steady_clock::now() + 15s;
        while (std::chrono::steady_clock::now() < deadline) {
            io.run_one_for(20ms);
            std::this_thread::sleep_for(20ms);
            const auto calls = site.service.engine.calls();
            if (std::any_of(calls.begin(), calls.end(), [](const std::string& each) {
                    return each.starts_with("update");
                }))
                return true;
        }
        return false;
    }

    TempDir dir;
    Door door;  // it outlives who stands in it
    AdapterSite site;
    boost::asio::io_context io{1};
    std::unique_ptr<Center> center;
    std::unique_ptr<sysupdate::Adapter> adapter;
};

/// One in which the adapter ends with the daemon's answer to `method` unread, and what the caller
/// was told. A busy machine lets it read that at times, and then it is played again.
struct Ended {
    std::unique_ptr<Scene> scene;
    std::string answer;
};

Ended end_with_an_answer_unread(const char* method) {
    for (int i = 0; i < 30; ++i) {
        auto scene = std::make_unique<Scene>();
        auto outcome = scene->call(method);
        EXPECT_TRUE(scene->run_until_the_daemon_accepted());
        std::this_thread::sleep_for(100ms);
        const bool was_read = outcome.wait_for(0s) == std::future_status::ready;
        scene->adapter->shut_down();
        std::string answer = outcome.get();
        if (!was_read) return {std::move(scene), std::move(answer)};
        scene->door.open();
    }
    ADD_FAILURE() << "the adapter read it each time";
    return {std::make_unique<Scene>(), ""};
}

TEST(Shutdown, NobodyIsGivenAJobThatNobodyFollows) {
    const auto [scene, answer] = end_with_an_answer_unread("Update");
    EXPECT_EQ(answer.rfind("System.Error.ECONNRESET: ", 0), 0U) << answer;
    EXPECT_NE(answer.find("goes on in the daemon"), std::string::npos) << answer;
    EXPECT_TRUE(scene->center->heard().empty()) << "there is no job, and no end of one";
    // And so it does.
    scene->door.open();
    auto& engine = scene->site.service.engine;
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!engine.status().staged && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(10ms);
    EXPECT_TRUE(engine.status().staged);
}

// That it goes on is remembered: the next adapter may install what it brings.
TEST(Shutdown, WhatIsAcquiredThenCanBeInstalled) {
    const auto [scene, answer] = end_with_an_answer_unread("Acquire");
    EXPECT_EQ(answer.rfind("System.Error.ECONNRESET: ", 0), 0U) << answer;
    scene->adapter.reset();
    EXPECT_NE(scene->dir.read("run/acquired").find("job /org/cfsupdate1/job/"), std::string::npos);
}

}  // namespace
}  // namespace cfs::test
