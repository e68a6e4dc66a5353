// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/checks.hpp"

#include "client/sysupdate/names.hpp"

#include <utility>

namespace cfs::sysupdate {
namespace {

constexpr std::size_t kMostWaiting = 256;

std::optional<sdbus::Error> failure_of(const Ended& how) {
    if (how.state == "done") return std::nullopt;
    const bool has_name = !how.failure.name.empty();
    return bus::make_error(
        std::string(bus::kErrorPrefix) + (has_name ? how.failure.name : "Internal"),
        has_name ? how.failure.message : "the check was given up: the daemon ended meanwhile");
}

}  // namespace

Checks::Checks(boost::asio::io_context& io, Daemon& daemon, Timing timing)
    : io_(io), daemon_(daemon), timing_(timing), self_(std::make_shared<Checks*>(this)) {}

Checks::~Checks() {
    self_.reset();
}

void Checks::check(std::chrono::milliseconds patience, Checked then) {
    // Found of another daemon, it is not what this one shows.
    const bool counts = last_ && std::chrono::steady_clock::now() < last_->good_until &&
                        daemon_.status() != nullptr;
    if (counts && !running_) return then(last_->failed);
    if (waiting_.size() >= kMostWaiting) {
        return then(bus::make_error(kLimitsExceeded, "too many calls wait for the registry"));
    }
    wait(patience, std::move(then));
    if (!running_) begin();
}

void Checks::wait(std::chrono::milliseconds patience, Checked then) {
    const auto each = std::make_shared<Waiting>(
        Waiting{std::move(then), boost::asio::steady_timer(io_, patience)});
    waiting_.push_back(each);
    // One that has its answer is gone, also when its time is up in the same moment.
    each->timer.async_wait([this, weak = std::weak_ptr(self_), late = std::weak_ptr(each)](
                               const boost::system::error_code& failed) {
        const auto waiting = late.lock();
        if (failed || weak.expired() || !waiting || !waiting->then) return;
        waiting_.remove(waiting);
        waiting->then(bus::make_error(kTimeout, "the registry gives no answer in time"));
    });
}

void Checks::begin() {
    running_ = true;
    const auto weak = std::weak_ptr(self_);
    // Its status first: what the job finds has to be a change of something.
    daemon_.know([this, weak](const std::optional<sdbus::Error>& failed) {
        if (weak.expired()) return;
        if (failed) return finish(failed);
        daemon_.start("Check", {}, [this, weak](const auto& started) {
            if (weak.expired()) return;
            if (const auto* error = std::get_if<sdbus::Error>(&started)) return finish(*error);
            follow(std::get<std::string>(started));
        });
    });
}

void Checks::follow(const std::string& job) {
    job_ = job;
    daemon_.look_at(
        job,
        [this, weak = std::weak_ptr(self_), job](const std::optional<Daemon::Look>& found, bool) {
            if (weak.expired() || job_ != job) return;
            if (!found) return ended(job, {"lost", {}, {}});
            if (found->ended) ended(job, *found->ended);
        });
}

void Checks::ended(const std::string& job, const Ended& how) {
    if (job_.empty() || job != job_) return;
    finish(failure_of(how));
}

void Checks::replaced() {
    last_.reset();
    if (!job_.empty()) follow(job_);
}

void Checks::finish(const std::optional<sdbus::Error>& failed) {
    running_ = false;
    job_.clear();
    last_ = Last{failed,
                 std::chrono::steady_clock::now() + (failed ? timing_.good_failed : timing_.good)};
    // One that made room for another job says nothing about the registry.
    if (failed && failed->getName() == std::string(bus::kErrorPrefix) + "Cancelled") last_.reset();
    std::list<std::shared_ptr<Waiting>> waiting;
    waiting.swap(waiting_);
    for (const auto& each : waiting) {
        each->timer.cancel();
        std::exchange(each->then, {})(failed);
    }
}

void Checks::clear(std::chrono::milliseconds patience, std::function<void()> then) {
    if (!running_) return then();
    wait(patience, [then = std::move(then)](const std::optional<sdbus::Error>&) { then(); });
    if (!job_.empty()) daemon_.cancel(job_, [](const std::optional<sdbus::Error>&) {});
}

}  // namespace cfs::sysupdate
