// SPDX-License-Identifier: Apache-2.0
#include "bus/caller_check.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>

#include <unistd.h>

#include <algorithm>
#include <exception>

namespace cfs::bus {
namespace {

bool is_trusted(std::uint32_t uid) {
    return uid == 0 || uid == ::geteuid();
}

Error too_many(const std::string& whose) {
    return {ErrorCode::Busy,
            "too many calls of " + whose + " wait for an authorisation",
            "Answer or close the password dialogs that are open, then try again."};
}

/// Nothing may leave a callback of the bus library.
template <typename F>
void contained(F&& f) noexcept {
    try {
        std::forward<F>(f)();
    } catch (const std::exception& e) {
        log::error(std::string("handling a call failed: ") + e.what());
    }
}

}  // namespace

CallerCheck::CallerCheck(boost::asio::io_context& io,
                         sdbus::IConnection& connection,
                         BusPump& pump,
                         Config config)
    : io_(io),
      connection_(connection),
      pump_(pump),
      config_(config),
      polkit_(std::make_unique<Polkit>(connection, pump, config.timing)),
      self_(std::make_shared<CallerCheck*>(this)),
      bus_daemon_(sdbus::createProxy(connection,
                                     ServiceName{"org.freedesktop.DBus"},
                                     sdbus::ObjectPath{"/org/freedesktop/DBus"})) {
    finish_registration(*bus_daemon_);
}

CallerCheck::~CallerCheck() {
    // No callback finds half of this.
    bus_daemon_.reset();
    for (const auto& [id, pending] : pending_) {
        if (pending.question != 0) polkit_->withdraw(pending.question);
    }
    polkit_.reset();
}

void CallerCheck::admit(const Caller& caller) const {
    const auto same = std::count_if(pending_.begin(), pending_.end(), [&](const auto& entry) {
        return entry.second.caller.name == caller.name;
    });
    if (static_cast<std::size_t>(same) >= config_.limits.per_caller) {
        throw too_many("this connection");
    }
    if (pending_.size() >= config_.limits.in_all) throw too_many("all users");
}

void CallerCheck::check(const Caller& caller, Ask ask, Verdict then) {
    admit(caller);
    const std::uint64_t id = ++last_id_;
    bus_daemon_->callMethodAsync("GetConnectionUnixUser")
        .onInterface("org.freedesktop.DBus")
        .withArguments(caller.name)
        .uponReplyInvoke([this, id](CallError failed, std::uint32_t uid) {
            contained([&] { identified(id, failed, uid); });
        });
    pending_.emplace(id, Pending{caller, std::move(ask), std::move(then)});
    pump_.kick();
}

void CallerCheck::identified(std::uint64_t id, const CallError& failed, std::uint32_t uid) {
    const auto found = pending_.find(id);
    if (found == pending_.end()) return;
    if (failed) {
        return finish(
            id,
            to_bus_error({ErrorCode::AccessDenied,
                          "the bus does not say who calls: " + std::string(failed->getMessage())}),
            uid);
    }
    const Ask& ask = found->second.ask;
    if (is_trusted(uid) || (ask.owner && *ask.owner == uid)) return finish(id, std::nullopt, uid);
    if (const auto refused = refuse(ask, uid)) return finish(id, to_bus_error(*refused), uid);
    ask_polkit(id, uid);
}

/// What needs no question to polkit.
std::optional<Error> CallerCheck::refuse(const Ask& ask, std::uint32_t uid) const {
    const std::string who = "; the caller has user id " + std::to_string(uid);
    if (!ask.root_only.empty()) {
        return Error(ErrorCode::AccessDenied,
                     "only root may " + ask.root_only + who,
                     "Run the command as root, e.g. with sudo.");
    }
    if (!config_.polkit) {
        return Error(ErrorCode::AccessDenied,
                     "only root may do this on this bus" + who,
                     "Run the command as root, e.g. with sudo.");
    }
    std::size_t of_user = 0;
    std::size_t of_users = 0;
    for (const auto& [id, pending] : pending_) {
        if (!pending.asks_polkit) continue;
        ++of_users;
        if (*pending.asks_polkit == uid) ++of_user;
    }
    if (of_user >= config_.limits.per_user) return too_many("user id " + std::to_string(uid));
    if (of_users >= config_.limits.of_users) return too_many("all users");
    return std::nullopt;
}

void CallerCheck::ask_polkit(std::uint64_t id, std::uint32_t uid) {
    Pending& pending = pending_.at(id);
    pending.asks_polkit = uid;
    try {
        // Rules are quick; a dialog may stay open for long.
        if (pending.caller.interactive) watch(id);
        ask_next(id);
    } catch (const sdbus::Error& e) {
        finish(id,
               to_bus_error({ErrorCode::AccessDenied,
                             "polkit could not be asked: " + std::string(e.getMessage())}),
               uid);
    }
}

void CallerCheck::ask_next(std::uint64_t id) {
    Pending& pending = pending_.at(id);
    const std::uint32_t uid = *pending.asks_polkit;
    if (pending.next_action == pending.ask.actions.size()) return finish(id, std::nullopt, uid);
    const std::string& action = pending.ask.actions[pending.next_action++];
    pending.question = polkit_->ask({pending.caller, action, pending.ask.details},
                                    [this, id, uid](const std::optional<sdbus::Error>& refused) {
                                        if (refused) return finish(id, refused, uid);
                                        ask_next(id);
                                    });
}

void CallerCheck::watch(std::uint64_t id) {
    Pending& pending = pending_.at(id);
    const std::string rule =
        "type='signal',sender='org.freedesktop.DBus',"
        "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" +
        pending.caller.name + "'";
    // The slot cannot go while it is being called.
    pending.watch = add_match(connection_, rule, [this, id] {
        boost::asio::post(io_, [weak = std::weak_ptr(self_), id] {
            if (const auto self = weak.lock()) (*self)->caller_left(id);
        });
    });
}

void CallerCheck::caller_left(std::uint64_t id) {
    const auto found = pending_.find(id);
    if (found == pending_.end()) return;
    log::debug("the caller " + found->second.caller.name + " left before it was authorised");
    polkit_->withdraw(found->second.question);
    pending_.erase(found);
    pump_.kick();
}

void CallerCheck::finish(std::uint64_t id,
                         const std::optional<sdbus::Error>& refused,
                         std::uint32_t uid) {
    const auto found = pending_.find(id);
    if (found == pending_.end()) return;
    const Pending pending = std::move(found->second);
    pending_.erase(found);
    pending.then({refused, {uid, pending.caller.name}});
    pump_.kick();
}

}  // namespace cfs::bus
