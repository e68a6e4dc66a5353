// SPDX-License-Identifier: Apache-2.0
/// \file The job table on a main loop, without a bus.
#pragma once

#include "fakes/fake_engine.hpp"
#include "service/jobs.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace cfs::service {

class JobTable : public testing::Test {
 protected:
    void start(Jobs::Timing timing = {}) {
        Jobs::Hooks hooks;
        hooks.ready = [this] { ready_ = true; };
        hooks.refresh = [this] { events_.push_back("refresh " + jobs_->state_name()); };
        hooks.added = [this](const JobView& view) { add("added", view); };
        hooks.changed = [this](const JobView& view) { add("changed", view); };
        hooks.ended = [this](const JobView& view) { add("ended", view); };
        hooks.forgotten = [this](std::uint64_t id) {
            events_.push_back("forgotten " + std::to_string(id));
        };
        jobs_ = std::make_unique<Jobs>(io_, engine_, timing, hooks);
        jobs_->start();
    }

    void start_and_wait_until_idle() {
        start();
        run_until([this] { return jobs_->state_name() == "idle"; });
    }

    void start_and_wait_until_ready() {
        ready_ = false;
        start();
        run_until([this] { return ready_; });
    }

    void add(const std::string& what, const JobView& view) {
        events_.push_back(what + " " + std::to_string(view.id) + " " +
                          std::string(to_string(view.state)));
        views_[view.id] = view;
    }

    template <typename F>
    void run_until(F done) {
        while (!done())
            ASSERT_GT(io_.run_one_for(std::chrono::seconds(10)), 0U)
                << "nothing happened for ten seconds";
    }

    void run_until_ended(std::uint64_t id) {
        run_until([&] {
            const auto found =
                std::find_if(events_.begin(), events_.end(), [id](const auto& event) {
                    return event.starts_with("ended " + std::to_string(id) + " ");
                });
            return found != events_.end();
        });
    }

    [[nodiscard]] bool seen(const std::string& event) const {
        return std::find(events_.begin(), events_.end(), event) != events_.end();
    }

    /// A job that a failed case left at the door must not keep the job thread.
    void TearDown() override { door_.open(); }

    test::Door door_;
    test::FakeEngine engine_;
    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        io_.get_executor()};
    std::vector<std::string> events_;
    std::map<std::uint64_t, JobView> views_;
    bool ready_ = false;
    std::unique_ptr<Jobs> jobs_;
};

inline JobRequest update_request(const std::string& image = {}) {
    JobRequest request;
    request.kind = JobKind::Update;
    request.image = image;
    return request;
}

}  // namespace cfs::service
