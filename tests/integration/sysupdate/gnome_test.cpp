// SPDX-License-Identifier: Apache-2.0
// What GNOME Software does, call by call, each within the time that it gives it.
#include "adapter_site.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>

namespace cfs::test {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;
using Targets = std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>>;

/// Its refresh; the version that it offers, "" when there is none.
std::string refresh(Center& center) {
    const auto targets =
        std::get<0>(center.call<Targets>(1s, sysupdate::kManagerPath, kManager, "ListTargets"));
    EXPECT_EQ(targets.size(), 1U);
    EXPECT_EQ(targets.at(0).get<0>(), "host");
    EXPECT_EQ(targets.at(0).get<1>(), "host");
    const std::string path = targets.at(0).get<2>();
    EXPECT_EQ(path, sysupdate::kTargetPath);
    const bus::VariantMap target = center.properties(path, kTarget);
    EXPECT_EQ(target.at("Class").get<std::string>(), "host");
    EXPECT_EQ(target.at("Name").get<std::string>(), "host");
    EXPECT_FALSE(target.at("Path").get<std::string>().empty());
    EXPECT_EQ(center.ask<Strings>(1s, "GetAppStream").size(), 1U);
    const auto installed = center.ask<std::string>(1s, "GetVersion");
    EXPECT_NE(installed, "");
    auto found = center.ask<std::string>(10s, "CheckNew");
    const std::string described = found.empty() ? installed : found;
    EXPECT_NE(center.ask<std::string>(1s, "Describe", described, std::uint64_t{0}), "");
    return found;
}

TEST(Gnome, UpdatesTheSystem) {
    AdapterSite site;
    site.publish("2");
    site.start_daemon();
    site.start_adapter();
    Center center(site.address());
    EXPECT_EQ(center.ask<std::string>(1s, "GetVersion"), "1");
    EXPECT_EQ(refresh(center), "2");
    const auto job = center.start("Update", "");
    EXPECT_EQ(job.version, "2");
    EXPECT_EQ(job.path, "/org/freedesktop/sysupdate1/job/_" + std::to_string(job.id));
    const auto end = center.wait_for_end(job.path);
    EXPECT_EQ(end.removed, 0);
    EXPECT_EQ(end.id, job.id);
    // Its proxy of the job may be made as late as now.
    EXPECT_EQ(center.properties(job.path, kJob).at("Progress").get<std::uint32_t>(), 100U);
    EXPECT_EQ(refresh(center), "") << "what waits for its reboot is installed";
    EXPECT_EQ(center.ask<std::string>(1s, "GetVersion"), "2");
    EXPECT_EQ(site.service.engine.calls()[2],
              "update image= finalize=1 digest=sha256:" + std::string(60, 'b') + "2")
        << "what was seen is what comes";
}

TEST(Gnome, HearsTheReplyThenTheProgressThenTheEnd) {
    AdapterSite site;
    site.publish("2");
    site.start_daemon();
    site.start_adapter();
    Center center(site.address());
    EXPECT_EQ(refresh(center), "2");
    const auto object = center.proxy(sysupdate::kTargetPath);
    std::promise<std::string> replied;
    bus::call_then(
        *object,
        bus::make_call(*object, kTarget, "Update", true, std::string(), std::uint64_t{0}),
        20s,
        [&](bus::Answer answer) {
            std::string version;
            std::uint64_t id = 0;
            sdbus::ObjectPath path;
            if (answer.reply) *answer.reply >> version >> id >> path;
            replied.set_value(path);
        });
    const std::string path = replied.get_future().get();
    const auto end = center.wait_for_end(path);
    EXPECT_EQ(end.removed, 0);
    const auto heard = center.heard();
    ASSERT_GE(heard.size(), 2U);
    EXPECT_EQ(heard.back().removed, 0) << "nothing comes after it";
    EXPECT_EQ(heard[heard.size() - 2].progress, 100U);
    EXPECT_TRUE(std::is_sorted(heard.begin(), heard.end() - 1, [](const auto& a, const auto& b) {
        return a.progress.value_or(0) < b.progress.value_or(0);
    })) << "it never goes back";
}

// JobRemoved is there before it has looked at the reply: it matches by the path that it learns
// then.
TEST(Gnome, FindsEverythingInItsQueueWhenItWasBusy) {
    AdapterSite site;
    site.publish("2");
    site.start_daemon();
    site.start_adapter();
    Center watcher(site.address());
    EXPECT_EQ(refresh(watcher), "2");
    const auto busy = bus::connect(site.address());
    std::vector<std::string> order;
    const auto match = bus::add_match(
        *busy,
        std::string("type='signal',member='JobRemoved',interface='") + kManager + "'",
        [&](sdbus::Message&) { order.emplace_back("JobRemoved"); });
    const auto object = sdbus::createProxy(
        *busy, bus::ServiceName{sysupdate::kName}, sdbus::ObjectPath{sysupdate::kTargetPath});
    bus::finish_registration(*object);
    std::string path;
    bus::call_then(
        *object,
        bus::make_call(*object, kTarget, "Update", true, std::string(), std::uint64_t{0}),
        20s,
        [&](bus::Answer answer) {
            order.emplace_back("reply");
            std::string version;
            std::uint64_t id = 0;
            sdbus::ObjectPath found;
            if (answer.reply) *answer.reply >> version >> id >> found;
            path = found;
        });
    const auto deadline = std::chrono::steady_clock::now() + 15s;
    while ((watcher.heard().empty() || !watcher.heard().back().removed) &&
           std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(5ms);
    while (order.size() < 2 && std::chrono::steady_clock::now() < deadline) {
        if (!bus::process_one(*busy)) std::this_thread::sleep_for(5ms);
    }
    EXPECT_EQ(order, (Strings{"reply", "JobRemoved"}));
    EXPECT_EQ(path, watcher.heard().back().path);
    EXPECT_EQ(watcher.properties(path, kJob).at("Progress").get<std::uint32_t>(), 100U);
}

TEST(Gnome, CancelsBeforeTheFirstByte) {
    Door door;
    AdapterSite site;
    site.publish("2");
    site.set_update([&](update::ProgressSink&, const std::stop_token& stop) { door.pass(stop); });
    site.start_daemon();
    site.start_adapter();
    Center center(site.address());
    EXPECT_EQ(refresh(center), "2");
    const auto job = center.start("Update", "");
    ASSERT_TRUE(door.wait_until_reached());
    EXPECT_EQ(center.properties(job.path, kJob).at("Progress").get<std::uint32_t>(), 0U);
    center.call<>(1s, job.path.c_str(), kJob, "Cancel");
    EXPECT_EQ(center.wait_for_end(job.path).removed, -ECANCELED);
    EXPECT_EQ(center.outcome(job.path.c_str(), kJob, "Cancel"), "ok") << "a late click is none";
    // And it can be had again.
    door.open();
    const auto again = center.start("Update", "");
    EXPECT_GT(again.id, job.id);
    EXPECT_EQ(center.wait_for_end(again.path).removed, 0);
}

TEST(Gnome, SeesHowFarItIs) {
    Door door;
    AdapterSite site;
    site.publish("2");
    site.set_update({},
                    [&](update::ProgressSink&, const std::stop_token& stop) { door.pass(stop); });
    site.start_daemon();
    site.start_adapter();
    Center center(site.address());
    EXPECT_EQ(refresh(center), "2");
    const auto job = center.start("Update", "");
    ASSERT_TRUE(door.wait_until_reached());
    const auto percent = [&] {
        return center.properties(job.path, kJob).at("Progress").get<std::uint32_t>();
    };
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (percent() == 0 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(20ms);
    EXPECT_EQ(percent(), 40U) << "half of what fetching is of it";
    using Jobs =
        std::vector<sdbus::Struct<std::uint64_t, std::string, std::uint32_t, sdbus::ObjectPath>>;
    const auto jobs =
        std::get<0>(center.call<Jobs>(1s, sysupdate::kManagerPath, kManager, "ListJobs"));
    ASSERT_EQ(jobs.size(), 1U);
    EXPECT_EQ(jobs[0].get<0>(), job.id);
    EXPECT_EQ(jobs[0].get<1>(), "update");
    EXPECT_EQ(jobs[0].get<2>(), 40U);
    EXPECT_EQ(std::string(jobs[0].get<3>()), job.path);
    EXPECT_EQ(error_of([&] { center.start("Update", ""); }), "System.Error.EBUSY");
    // Everything else is answered meanwhile.
    EXPECT_EQ(center.ask<std::string>(1s, "GetVersion"), "1");
    EXPECT_EQ(center.ask<std::string>(10s, "CheckNew"), "2");
    door.open();
    EXPECT_EQ(center.wait_for_end(job.path).removed, 0);
}

TEST(Gnome, UpdatesThroughARestartOfTheDaemonBetweenJobs) {
    AdapterSite site;
    site.publish("2");
    site.start_daemon();
    site.start_adapter();
    Center center(site.address());
    EXPECT_EQ(refresh(center), "2");
    const auto first = center.start("Update", "");
    EXPECT_EQ(center.wait_for_end(first.path).removed, 0);
    site.service.stop();
    EXPECT_EQ(center.properties(first.path, kJob).at("Progress").get<std::uint32_t>(), 100U);
    site.publish("3");
    site.start_daemon();
    EXPECT_EQ(center.ask<std::string>(1s, "GetVersion"), "2");
    EXPECT_EQ(refresh(center), "3");
    const auto second = center.start("Update", "");
    EXPECT_GT(second.id, first.id);
    EXPECT_EQ(center.wait_for_end(second.path).removed, 0);
    EXPECT_EQ(center.ask<std::string>(1s, "GetVersion"), "3");
}

}  // namespace
}  // namespace cfs::test
