// SPDX-License-Identifier: Apache-2.0
#include "client/bus/decode.hpp"
#include "client/bus/job.hpp"
#include "client/commands/commands.hpp"
#include "client/output/json.hpp"
#include "client/output/result_text.hpp"

#include <chrono>
#include <iostream>
#include <list>
#include <optional>
#include <vector>

namespace cfs::client {
namespace {

/// Follows the Manager and every job that is announced or runs already.
class Follower {
 public:
    explicit Follower(const Global& global)
        : json_(global.json), session_(global.bus), manager_(session_) {}

    void run();

 private:
    struct Followed {
        Followed(BusSession& session, const std::string& path) : proxy(session, path) {}

        JobProxy proxy;
        std::string shown;
    };

    void follow_new();
    void show_jobs();
    void show_state(const std::string& state);
    void print(const std::string& text);

    bool json_;
    BusSession session_;
    ManagerProxy manager_;
    std::vector<std::string> announced_;
    std::vector<std::string> states_;
    std::list<Followed> jobs_;
    std::string state_;
};

void Follower::print(const std::string& text) {
    std::cout << text << std::flush;
}

/// Calls are not made inside a signal's handler, so handlers only note what there is to do.
void Follower::follow_new() {
    for (const std::string& path : std::exchange(announced_, {})) {
        jobs_.emplace_back(session_, path);
    }
}

void Follower::show_state(const std::string& state) {
    if (state == state_) return;
    state_ = state;
    print(json_ ? state_event_json(state) + "\n" : "state: " + state + "\n");
}

void Follower::show_jobs() {
    for (auto job = jobs_.begin(); job != jobs_.end();) {
        const JobState& state = job->proxy.state();
        const std::string text = json_ ? job_event_json(state) + "\n" : job_line(state);
        if (text != job->shown) print(text);
        job->shown = text;
        job = state.ended() ? jobs_.erase(job) : std::next(job);
    }
}

void Follower::run() {
    manager_.subscribe([this](const std::string& path) { announced_.push_back(path); },
                       [this](const std::string& state) { states_.push_back(state); });
    for (const std::string& path : manager_.running_jobs())
        announced_.push_back(path);
    show_state(manager_.status().state);
    while (!session_.take_interrupt()) {
        follow_new();
        for (const std::string& state : std::exchange(states_, {}))
            show_state(state);
        show_jobs();
        if (session_.daemon_gone()) {
            throw Error(ErrorCode::Io,
                        "the update daemon went away",
                        "it may have been idle: any other verb starts it again");
        }
        session_.wait(std::chrono::hours(1));
    }
}

}  // namespace

ExitCode run(const Monitor&, const Global& global) {
    Follower(global).run();
    return ExitCode::Done;
}

}  // namespace cfs::client
