// SPDX-License-Identifier: Apache-2.0
// A paused update on a real machine's directories, from a registry that writes down what is asked.
#include "repair_site.hpp"
#include "service/jobs.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <variant>

namespace cfs::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMiB = 1 << 20;

/// The job table of one life of the daemon.
class Life {
 public:
    explicit Life(const settings::Settings& settings) : engine_(update::make_engine(settings)) {
        service::Jobs::Hooks hooks;
        hooks.ready = [] {};
        hooks.refresh = [] {};
        hooks.added = [this](const service::JobView& view) { view_ = view; };
        hooks.changed = [this](const service::JobView& view) { view_ = view; };
        hooks.ended = hooks.changed;
        hooks.forgotten = [](std::uint64_t) {};
        service::Jobs::Timing timing;
        timing.progress = 10ms;
        jobs = std::make_unique<service::Jobs>(io_, *engine_, timing, hooks);
        jobs->start();
        run_until([this] { return jobs->state_name() != "starting"; });
    }

    template <typename F>
    void run_until(F done) {
        while (!done())
            ASSERT_GT(io_.run_one_for(20s), 0U) << "nothing happened for twenty seconds";
    }

    void run_until_state(service::JobState state) {
        run_until([&] { return view_.state == state; });
    }

    [[nodiscard]] const service::JobView& view() const { return view_; }

 private:
    std::unique_ptr<update::Engine> engine_;
    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        io_.get_executor()};
    service::JobView view_;

 public:
    std::unique_ptr<service::Jobs> jobs;  ///< last: goes before its loop and its engine
};

/// First byte of each GET of a blob.
std::vector<std::string> ranges_of(TestRegistry& registry, const std::string& digest) {
    std::vector<std::string> out;
    for (const Request& request : registry.requests()) {
        if (request.method != "GET" || request.target.find(digest) == std::string::npos) continue;
        const auto found = request.headers.find("range");
        out.push_back(found == request.headers.end() ? "" : found->second);
    }
    return out;
}

service::JobRequest update_of(RepairSite& machine, const std::string& tag) {
    service::JobRequest request;
    request.kind = service::JobKind::Update;
    request.image = machine.registry().reference("team/os", tag);
    return request;
}

// The layer of 12 MB stalls after 6: who pauses then, and restarts the daemon, fetches the rest.
TEST(PausedUpdate, GoesOnInTheMiddleOfALayerAfterARestart) {
    RepairSite machine;
    const std::string layer = RepairSite::blob_digest("v2-big", 1);
    const std::uint64_t size = RepairSite::blob_size("v2-big", 1);
    machine.registry().add_fault({.path = layer, .times = 1, .stall_after = 6 * kMiB});
    std::uint64_t id = 0;
    {
        Life before(machine.site.settings);
        id = before.jobs->submit(update_of(machine, "v2-big"), {1000, ":1.7"});
        before.run_until([&] { return before.view().progress.done > 5 * kMiB; });
        before.jobs->pause(id);
        before.run_until_state(service::JobState::Paused);
        // No lock is left: neither of the deployments nor of the store.
        EXPECT_TRUE(machine.verify().sound());
        EXPECT_NO_THROW((void)machine.store()->try_lock_exclusive(0s));
    }
    Life after(machine.site.settings);
    EXPECT_EQ(after.jobs->state_name(), "paused");
    ASSERT_EQ(after.view().id, id);
    after.jobs->resume(id);
    after.run_until([&] { return after.jobs->active() == nullptr; });
    ASSERT_EQ(after.view().state, service::JobState::Done)
        << std::get<std::string>(after.view().error.at("message"));
    EXPECT_EQ(std::get<std::string>(after.view().result.at("outcome")), "finalized");

    const auto ranges = ranges_of(machine.registry(), layer);
    ASSERT_EQ(ranges.size(), 2U);
    EXPECT_EQ(ranges[0], "");
    ASSERT_EQ(ranges[1].rfind("bytes=", 0), 0U) << ranges[1];
    const std::uint64_t kept = std::stoull(ranges[1].substr(6));
    EXPECT_GT(kept, 4 * kMiB);
    EXPECT_LE(kept, 6 * kMiB);
    const std::uint64_t rest = RepairSite::blob_size("v2-big", 2);  // the UKI's layer
    EXPECT_LE(std::get<std::uint64_t>(after.view().result.at("fetched-bytes")),
              size - kept + rest + 64 * 1024)
        << "nothing but the rest of it, the UKI and documents";
}

TEST(PausedUpdate, ThatIsGivenUpLeavesTheMachineAsItWas) {
    RepairSite machine;
    const std::string before_it = machine.site.snapshot();
    machine.registry().add_fault(
        {.path = RepairSite::blob_digest("v2-big", 1), .times = 1, .stall_after = 6 * kMiB});
    {
        Life life(machine.site.settings);
        const std::uint64_t id = life.jobs->submit(update_of(machine, "v2-big"));
        life.run_until([&] { return life.view().progress.done > 5 * kMiB; });
        life.jobs->pause(id);
        life.run_until_state(service::JobState::Paused);
        life.jobs->cancel(id);
        life.run_until_state(service::JobState::Cancelled);
    }
    EXPECT_EQ(machine.site.snapshot(), before_it);
    EXPECT_EQ(Life(machine.site.settings).jobs->paused(), nullptr);
}

}  // namespace
}  // namespace cfs::test
