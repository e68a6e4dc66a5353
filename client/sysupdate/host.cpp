// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/host.hpp"

#include "base/log.hpp"
#include "client/bus/decode.hpp"
#include "client/sysupdate/job_object.hpp"
#include "client/sysupdate/names.hpp"

#include <charconv>
#include <cstring>
#include <string_view>

namespace cfs::sysupdate {
namespace {

/// "/org/cfsupdate1/job/7" -> 7
std::optional<std::uint64_t> id_of(const std::string& job) {
    const std::string_view prefix = bus::kJobPathPrefix;
    if (!job.starts_with(prefix)) return std::nullopt;
    std::uint64_t id = 0;
    const char* const end = job.data() + job.size();
    const auto read = std::from_chars(job.data() + prefix.size(), end, id);
    return read.ec == std::errc{} && read.ptr == end ? std::optional(id) : std::nullopt;
}

/// The daemon's, under the name that systemd's clients know: for them any other is an I/O error.
sdbus::Error as_theirs(const sdbus::Error& error) {
    const std::string name = error.getName();
    const std::string_view prefix = bus::kErrorPrefix;
    if (!name.starts_with(prefix)) return error;
    const std::int32_t status = status_of("failed", name.substr(prefix.size()));
    const char* const theirs = status < 0 ? ::strerrorname_np(-status) : nullptr;
    if (theirs == nullptr) return error;
    return bus::make_error(std::string("System.Error.") + theirs, std::string(error.getMessage()));
}

sdbus::Error is_stopping() {
    return bus::make_error(kStopping, "the adapter is stopping: try again");
}

}  // namespace

Host::Host(boost::asio::io_context& io,
           Daemon& daemon,
           Acquired& acquired,
           Checks& checks,
           Jobs& jobs,
           Timing timing)
    : io_(io),
      daemon_(daemon),
      acquired_(acquired),
      checks_(checks),
      jobs_(jobs),
      timing_(timing),
      self_(std::make_shared<Host*>(this)) {}

Host::~Host() {
    self_.reset();
}

Known Host::knowledge(const client::Status& status) const {
    return know(status, acquired_.digest());
}

void Host::known(Then<Known> then) {
    daemon_.know([this, weak = std::weak_ptr(self_), then = std::move(then)](
                     const std::optional<sdbus::Error>& failed) {
        if (failed) return then(*failed);
        if (!weak.expired()) then(knowledge(*daemon_.status()));
    });
}

void Host::look(Then<Known> then) {
    checks_.check(timing_.check,
                  [this, weak = std::weak_ptr(self_), then = std::move(then)](
                      const std::optional<sdbus::Error>& failed) {
                      if (weak.expired()) return;
                      const client::Status* const status = daemon_.status();
                      if (status == nullptr && failed) return then(as_theirs(*failed));
                      if (failed) {
                          log::info("a check failed, what was known before counts: " +
                                    std::string(failed->getMessage()));
                      }
                      then(status == nullptr ? Known{} : knowledge(*status));
                  });
}

/// One at a time, as everywhere.
std::optional<sdbus::Error> Host::refuse() const {
    if (stopping_) return is_stopping();
    if (!is_busy() && jobs_.active() == nullptr) return std::nullopt;
    return bus::make_error(kBusy, "another job of this target is running already");
}

void Host::start(const Wish& wish,
                 const std::string& action,
                 const bus::Initiator& caller,
                 Then<Accepted> then) {
    if (const auto refused = refuse()) return then(*refused);
    request_ = std::make_shared<Request>(Request{
        wish, action, caller, std::move(then), boost::asio::steady_timer(io_, timing_.accept)});
    const auto weak = std::weak_ptr(self_);
    // It stays until the daemon has answered: what that accepts late is stopped again.
    request_->timer.async_wait([this, weak](const boost::system::error_code& failed) {
        if (failed || weak.expired() || !request_ || !request_->then) return;
        std::exchange(request_->then,
                      {})(bus::make_error(kTimeout, "the daemon did not accept it in time"));
    });
    if (wish.verb != Verb::Install) {
        return checks_.check(timing_.validate, [this, weak](const auto& failed) {
            if (!weak.expired()) decide(failed);
        });
    }
    checks_.clear(timing_.clear, [this, weak] {
        if (weak.expired()) return;
        daemon_.know([this, weak](const auto& failed) {
            if (!weak.expired()) decide(failed);
        });
    });
}

void Host::decide(const std::optional<sdbus::Error>& checked) {
    const client::Status* const status = daemon_.status();
    if (status == nullptr) {
        return answer(checked ? *checked
                              : bus::make_error(kTimeout, "the daemon went away meanwhile"));
    }
    const auto plan = make_plan(request_->wish, knowledge(*status), checked);
    if (const auto* refused = std::get_if<sdbus::Error>(&plan)) return answer(*refused);
    carry_out(std::get<Plan>(plan));
}

void Host::carry_out(const Plan& plan) {
    if (!request_->then) return answer(Accepted{});  // nobody waits any more
    if (stopping_) return answer(is_stopping());
    bus::VariantMap options = plan.options;
    // What the settings hold a user to holds him here, too.
    const std::uint32_t user = request_->caller.uid;
    if (!plan.offline && user != 0) options["user"] = sdbus::Variant{std::uint64_t{user}};
    daemon_.start(
        plan.method, options, [this, weak = std::weak_ptr(self_), plan](const auto& started) {
            if (weak.expired()) return;
            checks_.forget();
            if (const auto* failed = std::get_if<sdbus::Error>(&started)) return answer(*failed);
            accepted(plan, std::get<std::string>(started));
        });
}

void Host::accepted(const Plan& plan, const std::string& job) {
    if (request_->wish.verb == Verb::Acquire) acquired_.accepted(job);
    const auto id = id_of(job);
    if (!id) return answer(bus::make_error(kTimeout, "the daemon's job has no number: " + job));
    if (!request_->then) {
        log::warn("the daemon accepted job " + std::to_string(*id) + " too late: it is stopped");
        daemon_.cancel(job, [](const auto&) {});
        return answer(Accepted{});
    }
    // Nobody would say how it ends.
    if (stopping_) {
        return answer(bus::make_error(kStopping,
                                      "the adapter is stopping, and job " + std::to_string(*id) +
                                          " goes on in the daemon: look again"));
    }
    JobFacts facts;
    facts.id = *id;
    facts.daemon_path = job;
    facts.type = to_string(request_->wish.verb);
    facts.offline = plan.offline;
    facts.version = plan.version;
    facts.action = request_->action;
    facts.user = request_->caller.uid;
    jobs_.add(std::move(facts));
    answer(Accepted{plan.version, *id});
}

void Host::answer(const std::variant<sdbus::Error, Accepted>& what) {
    const auto request = std::exchange(request_, nullptr);
    request->timer.cancel();
    if (!request->then) return;
    const auto* const failed = std::get_if<sdbus::Error>(&what);
    if (failed != nullptr) return request->then(as_theirs(*failed));
    request->then(what);
}

void Host::vacuum(Then<std::uint32_t> then) {
    if (const auto refused = refuse()) return then(*refused);
    vacuum_ = std::make_shared<Vacuum>(Vacuum{"", std::move(then)});
    checks_.clear(timing_.clear, [this, weak = std::weak_ptr(self_)] {
        if (weak.expired()) return;
        daemon_.start("Collect", {}, [this, weak](const auto& started) {
            if (weak.expired()) return;
            checks_.forget();
            if (const auto* failed = std::get_if<sdbus::Error>(&started)) {
                const auto ended = std::exchange(vacuum_, nullptr);
                return ended->then(as_theirs(*failed));
            }
            vacuum_->job = std::get<std::string>(started);
            follow_vacuum();
        });
    });
}

void Host::follow_vacuum() {
    daemon_.look_at(vacuum_->job,
                    [this, weak = std::weak_ptr(self_), same = vacuum_](
                        const std::optional<Daemon::Look>& found, bool) {
                        if (weak.expired() || vacuum_ != same) return;
                        if (!found) return end_vacuum({"lost", {}, {}});
                        if (found->ended) end_vacuum(*found->ended);
                    });
}

void Host::ended(const std::string& job, const Ended& how) {
    if (vacuum_ && vacuum_->job == job) end_vacuum(how);
}

void Host::replaced() {
    if (vacuum_ && !vacuum_->job.empty()) follow_vacuum();
}

void Host::end_vacuum(const Ended& how) {
    const auto ended = std::exchange(vacuum_, nullptr);
    if (how.state != "done") {
        const std::string name = how.failure.name.empty() ? "Internal" : how.failure.name;
        return ended->then(as_theirs(bus::make_error(
            std::string(bus::kErrorPrefix) + name,
            how.failure.message.empty() ? "the daemon ended meanwhile" : how.failure.message)));
    }
    ended->then(static_cast<std::uint32_t>(client::decode_collect(how.result).deployments.size()));
}

}  // namespace cfs::sysupdate
