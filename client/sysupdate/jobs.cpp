// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/jobs.hpp"

#include "base/log.hpp"
#include "bus/reply.hpp"
#include "client/bus/decode.hpp"

#include <utility>

namespace cfs::sysupdate {
namespace {

std::string describe(const JobFacts& facts) {
    return "job " + std::to_string(facts.id) + " (" + facts.type + ")";
}

}  // namespace

Jobs::Jobs(boost::asio::io_context& io,
           sdbus::IConnection& connection,
           bus::BusPump& pump,
           bus::CallerCheck& callers,
           Daemon& daemon,
           Timing timing,
           Removed removed)
    : connection_(connection),
      pump_(pump),
      callers_(callers),
      daemon_(daemon),
      timing_(timing),
      removed_(std::move(removed)),
      expiry_(io),
      self_(std::make_shared<Jobs*>(this)) {}

Jobs::~Jobs() {
    self_.reset();
    expiry_.cancel();
}

bool Jobs::is_active(const std::string& job) const {
    return active_ && active_->object->facts().daemon_path == job;
}

void Jobs::add(JobFacts facts) {
    log::info(describe(facts) + " of version '" + facts.version + "' is accepted from user id " +
              std::to_string(facts.user));
    // Its object of before: somebody else has the daemon resume what we gave up.
    std::erase_if(ended_, [&](const Kept& kept) { return kept.object->facts().id == facts.id; });
    active_.emplace();
    active_->object = std::make_unique<JobObject>(
        connection_,
        pump_,
        callers_,
        std::move(facts),
        [this, weak = std::weak_ptr(self_)](std::uint64_t id, JobObject::Cancelled then) {
            if (weak.expired()) return then(std::nullopt);
            cancel(id, std::move(then));
        });
    // What happened before we listened.
    look();
}

void Jobs::look() {
    const std::string job = active_->object->facts().daemon_path;
    daemon_.look_at(job,
                    [this, weak = std::weak_ptr(self_), job](
                        const std::optional<Daemon::Look>& found, bool answered) {
                        if (weak.expired() || !is_active(job)) return;
                        if (found) {
                            active_->state = found->state;
                            active_->object->show(percent_of(active_->state));
                            if (found->ended) ended(job, *found->ended);
                            return;
                        }
                        // A paused one is on record, and the next daemon has it, or says that it
                        // does not.
                        if (active_->state.state == "paused" && !answered) return;
                        Ended lost;
                        lost.state = "lost";
                        ended(job, lost);
                    });
}

void Jobs::progress(const std::string& job, const bus::VariantMap& changed) {
    if (!is_active(job)) return;
    client::merge_job(active_->state, changed);
    // The end has its own signal, after this one.
    if (!active_->state.ended()) active_->object->show(percent_of(active_->state));
}

void Jobs::ended(const std::string& job, const Ended& how) {
    if (!is_active(job)) return;
    std::unique_ptr<JobObject> object = std::move(active_->object);
    active_.reset();
    const std::int32_t status = status_of(how.state, how.failure.name);
    log::info(describe(object->facts()) + " ended: " + how.state +
              (how.failure.message.empty() ? "" : ": " + how.failure.message));
    bus::quietly([&] {
        if (status == 0) object->show(100);
        removed_(object->facts(), status);
    });
    keep(std::move(object));
}

/// A daemon that comes may have it; of one that went it is lost.
void Jobs::replaced() {
    if (active_) look();
}

void Jobs::abandon() {
    if (!active_) return;
    Ended lost;
    lost.state = "lost";
    ended(std::string(active_->object->facts().daemon_path), lost);
}

void Jobs::cancel(std::uint64_t id, JobObject::Cancelled then) {
    if (!active_ || active_->object->facts().id != id) return then(std::nullopt);
    daemon_.cancel(active_->object->facts().daemon_path, std::move(then));
}

void Jobs::keep(std::unique_ptr<JobObject> object) {
    ended_.push_back({std::move(object), std::chrono::steady_clock::now() + timing_.keep});
    if (ended_.size() > timing_.most_kept) ended_.pop_front();
    arm_expiry();
}

void Jobs::arm_expiry() {
    if (ended_.empty()) return;
    expiry_.expires_at(ended_.front().until);
    expiry_.async_wait([this](const boost::system::error_code& failed) {
        if (failed) return;
        const auto now = std::chrono::steady_clock::now();
        while (!ended_.empty() && ended_.front().until <= now)
            ended_.pop_front();
        arm_expiry();
    });
}

}  // namespace cfs::sysupdate
