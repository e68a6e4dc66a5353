// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "base/file_io.hpp"
#include "bus_client.hpp"
#include "service_site.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace cfs::test {
namespace {

using namespace std::chrono_literals;

class BusJob : public testing::Test {
 protected:
    /// Every verb waits at the door.
    void block() {
        site_.engine.set_verb(
            [this](update::ProgressSink&, const std::stop_token& stop) { site_.door.pass(stop); });
    }

    BusClient& client() {
        if (!client_) client_ = std::make_unique<BusClient>(site_.bus.address());
        return *client_;
    }

    ServiceSite site_;
    std::unique_ptr<BusClient> client_;
};

TEST_F(BusJob, ShowsItsStepsAndItsResult) {
    site_.engine.set_verb([this](update::ProgressSink& progress, const std::stop_token& stop) {
        progress.stage("fetch");
        progress.bytes(5, 10, 3);
        progress.message("layer 2 of 4");
        site_.door.pass(stop);
    });
    site_.engine.update_result.outcome = update::UpdateOutcome::Staged;
    site_.engine.update_result.fetched_bytes = 10;
    site_.start();
    const std::string job = client().start("Update");
    EXPECT_EQ(job.substr(0, job.rfind('/') + 1), bus::kJobPathPrefix);
    ASSERT_TRUE(client().wait_for([&](const Heard& heard) {
        return heard.path == job && value<std::string>(heard.changed, "Stage") == "fetch";
    }));
    const bus::VariantMap running = client().job(job);
    EXPECT_EQ(value<std::string>(running, "Kind"), "update");
    EXPECT_EQ(value<std::string>(running, "State"), "running");
    EXPECT_EQ(value<std::uint64_t>(running, "BytesDone"), 5U);
    EXPECT_EQ(value<std::uint64_t>(running, "BytesTotal"), 10U);
    EXPECT_EQ(value<std::uint64_t>(running, "BytesReused"), 3U);
    EXPECT_EQ(value<std::string>(running, "Message"), "layer 2 of 4");
    EXPECT_TRUE(value<bool>(running, "Cancellable"));
    EXPECT_TRUE(value<bus::VariantMap>(running, "Result").empty());
    site_.door.open();
    const Heard ended = client().wait_for_end(job);
    EXPECT_EQ(ended.state, "done");
    EXPECT_EQ(value<std::string>(ended.changed, "outcome"), "staged");
    const bus::VariantMap done = client().job(job);
    EXPECT_EQ(value<std::string>(done, "State"), "done");
    EXPECT_FALSE(value<bool>(done, "Cancellable"));
    EXPECT_EQ(value<std::uint64_t>(value<bus::VariantMap>(done, "Result"), "fetched-bytes"), 10U);
}

TEST_F(BusJob, NamesWhoStartedItAndNotWhoJoined) {
    block();
    site_.start();
    const std::string job = client().start("Update");
    BusClient other(site_.bus.address());
    EXPECT_EQ(other.start("Update"), job);
    using Who = sdbus::Struct<std::uint32_t, std::string>;
    const Who who = value<Who>(client().job(job), "Initiator");
    EXPECT_EQ(who.get<0>(), ::geteuid());
    EXPECT_EQ(who.get<1>(), client().name());
    EXPECT_NE(who.get<1>(), other.name());
}

TEST_F(BusJob, IsAnnouncedAndItsFinalStateSignalledBeforeItsRemoval) {
    site_.start();
    const std::string job = client().start("Rollback");
    client().wait_for_end(job);
    std::vector<std::string> order;
    for (const Heard& heard : client().heard()) {
        if (heard.path == job) order.push_back(heard.member);
    }
    ASSERT_GE(order.size(), 3U);
    EXPECT_EQ(order.front(), "JobNew");
    EXPECT_EQ(order.back(), "JobRemoved");
    const auto all = client().heard();
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const Heard& heard) {
        return heard.path == job && value<std::string>(heard.changed, "State") == "done";
    }));
}

TEST_F(BusJob, PassesEveryOptionOn) {
    site_.start();
    bus::VariantMap options{{"image", sdbus::Variant{std::string("oci:/x:y")}}};
    client().wait_for_end(client().start("Check", options));
    options["finalize"] = sdbus::Variant{false};
    options["expected-digest"] = sdbus::Variant{std::string("sha256:00")};
    client().wait_for_end(client().start("Update", options));
    client().wait_for_end(client().start("Collect", {{"dry-run", sdbus::Variant{true}}}));
    client().wait_for_end(client().start("Finalize"));
    bus::VariantMap verify{{"deployment", sdbus::Variant{std::string("2")}},
                           {"rate", sdbus::Variant{std::uint64_t{7}}}};
    client().wait_for_end(client().start("Repair", verify));
    verify["full"] = sdbus::Variant{true};
    client().wait_for_end(client().start("Verify", verify));
    bus::VariantMap preview{{"deployment", sdbus::Variant{std::string("2")}},
                            {"path", sdbus::Variant{std::string("ssh")}}};
    client().wait_for_end(client().start("PreviewEtc", preview));
    client().wait_for_end(
        client().start("RestoreEtc", {{"path", sdbus::Variant{std::string("ssh/x")}}}));
    EXPECT_EQ(site_.engine.calls(),
              (std::vector<std::string>{"reconcile",
                                        "check image=oci:/x:y",
                                        "update image=oci:/x:y finalize=0 digest=sha256:00",
                                        "collect dry-run",
                                        "finalize",
                                        "repair deployment=2 rate=7",
                                        "verify deployment=2 full=1 rate=7",
                                        "preview-etc deployment=2 path=ssh texts=0",
                                        "restore-etc path=ssh/x"}));
}

TEST_F(BusJob, ContentOfEtcGoesToTheCallersFileAndNowhereElse) {
    site_.engine.preview_result.deployment = "2";
    site_.engine.preview_result.changes = {
        {"shadow", etc::ChangeKind::KeptLocal, "local: content", true, false}};
    site_.engine.preview_result.diff = "-secret\n+other secret\n";
    site_.start();
    const UniqueFd file(::memfd_create("diff", MFD_CLOEXEC));
    const std::string job =
        client().start("PreviewEtc", {{"content", sdbus::Variant{sdbus::UnixFd{file.get()}}}});
    const Heard end = client().wait_for_end(job);
    EXPECT_EQ(end.state, "done");
    EXPECT_FALSE(end.changed.contains("changes"));
    const auto result = value<bus::VariantMap>(client().job(job), "Result");
    EXPECT_FALSE(result.contains("diff"));
    using Maps = std::vector<std::map<std::string, std::string>>;
    const Maps wanted{{{"path", "shadow"},
                       {"kind", "kept-local"},
                       {"detail", "local: content"},
                       {"lost", "vendor"}}};
    EXPECT_EQ(value<Maps>(result, "changes"), wanted);
    ASSERT_EQ(::lseek(file.get(), 0, SEEK_SET), 0);
    EXPECT_EQ(as_text(read_whole(file.get(), 1000)), "-secret\n+other secret\n");
}

TEST_F(BusJob, AFileThatCouldBlockIsRefused) {
    site_.start();
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd reader(ends[0]);
    const UniqueFd writer(ends[1]);
    try {
        client().start("PreviewEtc", {{"content", sdbus::Variant{sdbus::UnixFd{writer.get()}}}});
        FAIL() << "accepted";
    } catch (const sdbus::Error& e) {
        EXPECT_NE(std::string(e.getMessage()).find("regular file"), std::string::npos);
    }
}

TEST_F(BusJob, SignalsAtMostFiveTimesASecond) {
    site_.engine.set_verb([](update::ProgressSink& progress, const std::stop_token&) {
        const auto end = std::chrono::steady_clock::now() + 1100ms;
        for (std::uint64_t i = 0; std::chrono::steady_clock::now() < end; ++i) {
            progress.bytes(i, 1, 0);
        }
    });
    site_.start();
    const std::string job = client().start("Update");
    client().wait_for_end(job);
    std::vector<std::chrono::steady_clock::time_point> times;
    for (const Heard& heard : client().heard()) {
        if (heard.path == job && heard.member == "PropertiesChanged") times.push_back(heard.when);
    }
    EXPECT_GE(times.size(), 4U);
    for (std::size_t i = 5; i < times.size(); ++i) {
        // A little less than a second: the times are the receiver's.
        EXPECT_GT(times[i] - times[i - 5], 950ms) << "six signals within a second";
    }
}

TEST_F(BusJob, IsCancelledThroughItsObject) {
    block();
    site_.start();
    const std::string job = client().start("Update");
    ASSERT_TRUE(site_.door.wait_until_reached());
    client().cancel(job);
    const Heard ended = client().wait_for_end(job);
    EXPECT_EQ(ended.state, "cancelled");
    EXPECT_EQ(value<std::string>(ended.changed, "name"), "Cancelled");
    EXPECT_NO_THROW(client().cancel(job)) << "it has ended: nothing to do";
}

TEST_F(BusJob, IsCancelledThroughTheManager) {
    block();
    site_.start();
    const std::string job = client().start("Update");
    ASSERT_TRUE(site_.door.wait_until_reached());
    client().cancel_active();
    EXPECT_EQ(client().wait_for_end(job).state, "cancelled");
}

TEST_F(BusJob, IsPausedAndResumedThroughItsObject) {
    block();
    site_.start();
    const std::string job = client().start("Update");
    ASSERT_TRUE(site_.door.wait_until_reached());
    EXPECT_TRUE(value<bool>(client().job(job), "Pausable"));
    EXPECT_EQ(client().call_bare(job, bus::kJobInterface, "Pause"), "ok");
    ASSERT_TRUE(client().wait_for([&](const Heard& heard) {
        return heard.path == job && value<std::string>(heard.changed, "State") == "paused";
    }));
    const bus::VariantMap paused = client().job(job);
    EXPECT_FALSE(value<bool>(paused, "Pausable"));
    EXPECT_TRUE(value<bool>(paused, "Cancellable"));
    EXPECT_EQ(value<std::string>(client().manager(), "State"), "paused");
    EXPECT_EQ(value<std::vector<sdbus::ObjectPath>>(client().manager(), "Jobs"),
              std::vector<sdbus::ObjectPath>{sdbus::ObjectPath{job}});
    EXPECT_EQ(client().call_with_options("Update").rfind("org.cfsupdate1.Error.Inhibited: ", 0),
              0U);
    site_.door.open();
    EXPECT_EQ(client().call_bare(job, bus::kJobInterface, "Resume"), "ok");
    EXPECT_EQ(client().wait_for_end(job).state, "done");
}

TEST_F(BusJob, ThatWasPausedIsThereAfterARestart) {
    const update::PausedJob record{17, 0, {"oci:/x:y", true, "", false}};
    site_.engine.set_paused_job(&record);
    site_.start();
    const std::string job = bus::kJobPathPrefix + std::string("17");
    EXPECT_EQ(value<std::string>(client().job(job), "State"), "paused");
    client().cancel_active();
    EXPECT_EQ(client().wait_for_end(job).state, "cancelled");
    EXPECT_FALSE(site_.engine.paused_job());
}

TEST_F(BusJob, IsSharedBySecondIdenticalCallers) {
    block();
    site_.start();
    const std::string job = client().start("Update");
    BusClient other(site_.bus.address());
    EXPECT_EQ(other.start("Update"), job);
}

TEST_F(BusJob, DisappearsAfterItsTime) {
    site_.start(service::Jobs::Timing{250ms, 10ms, 64});
    const std::string job = client().start("Check");
    client().wait_for_end(job);
    const auto end = std::chrono::steady_clock::now() + 10s;
    std::string error;
    while (error.empty() && std::chrono::steady_clock::now() < end) {
        try {
            (void)client().job(job);
        } catch (const sdbus::Error& e) {
            error = e.getName();
        }
    }
    EXPECT_EQ(error, "org.freedesktop.DBus.Error.UnknownObject");
}

TEST_F(BusJob, ListsOfADryRunStayOffTheBroadcast) {
    site_.engine.collect_result.items.assign(20'000, std::string(150, 'x'));
    site_.start();
    const std::string job = client().start("Collect", {{"dry-run", sdbus::Variant{true}}});
    const Heard ended = client().wait_for_end(job);
    EXPECT_FALSE(ended.changed.contains("items"));
    const auto result = value<bus::VariantMap>(client().job(job), "Result");
    EXPECT_EQ(value<std::vector<std::string>>(result, "items").size(), 10'000U);
    EXPECT_EQ(value<std::uint64_t>(result, "items-omitted"), 10'000U);
}

}  // namespace
}  // namespace cfs::test
