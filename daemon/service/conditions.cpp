// SPDX-License-Identifier: Apache-2.0
#include "service/conditions.hpp"

#include "base/log.hpp"
#include "service/condition_values.hpp"

#include <boost/asio/post.hpp>

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace cfs::service {
namespace {

constexpr const char* kProperties = "org.freedesktop.DBus.Properties";

std::string signal_rule(const std::string& sender, const std::string& path, const char* rest) {
    return "type='signal',sender='" + sender + "',path='" + path + "'," + rest;
}

std::string changes_rule(const std::string& sender, const std::string& path) {
    return signal_rule(
        sender, path, "interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'");
}

/// One question. `read` may throw what an answer of another type than it says makes of it, after
/// which it gets an empty one.
struct Ask {
    const char* path;
    const char* interface;
    const char* method;
    std::string argument;  ///< empty: none
    std::function<void(bus::Answer&, policy::Conditions&)> read;
};

using Read = void (*)(const bus::VariantMap&, policy::Conditions&);

/// No answer is as good as one without the property.
Ask ask_all(const char* path, const char* interface, Read read) {
    return {path, kProperties, "GetAll", interface, [read](bus::Answer& answer, auto& into) {
                bus::VariantMap properties;
                if (answer.reply) *answer.reply >> properties;
                read(properties, into);
            }};
}

void read_list(bus::Answer& answer, policy::Conditions& into) {
    std::vector<Inhibitor> all;
    if (answer.reply) *answer.reply >> all;
    read_inhibitors(all, ::getpid(), into);
}

}  // namespace

/// One service: what is asked of it, and what makes us ask again.
class ConditionWatch::Peer {
 public:
    Peer(ConditionWatch& watch, const char* name, std::vector<Ask> asks)
        : watch_(watch), name_(name), asks_(std::move(asks)), settle_(watch.io_) {
        for (const Ask& ask : asks_) {
            proxies_.push_back(sdbus::createProxy(
                watch_.connection_, bus::ServiceName{name_}, sdbus::ObjectPath{ask.path}));
            bus::finish_registration(*proxies_.back());
        }
        hear(
            "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
            "member='NameOwnerChanged',arg0='" +
            name_ + "'");
    }

    void hear(const std::string& rule) {
        slots_.push_back(bus::add_match(watch_.connection_, rule, [this] { ask_soon(); }));
    }

    [[nodiscard]] bool settled() const { return open_ == 0; }

    /// What is asked after this call is what counts.
    void ask() {
        settle_.cancel();
        soon_ = false;
        if (open_ != 0) {
            again_ = true;
            return;
        }
        open_ = asks_.size();
        for (std::size_t at = 0; at < asks_.size(); ++at)
            send(at);
        watch_.pump_.kick();
    }

 private:
    void ask_soon() {
        if (std::exchange(soon_, true)) return;
        settle_.expires_after(watch_.timing_.settle);
        // One that is over and not handled yet outlives us.
        settle_.async_wait(
            [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& failed) {
                if (!failed && !alive.expired()) ask();
            });
    }

    void send(std::size_t at) {
        const Ask& ask = asks_[at];
        const auto hear = [this, at](bus::Answer answer) noexcept { answered(at, answer); };
        const auto patience = watch_.timing_.patience;
        if (ask.argument.empty()) {
            bus::ask_if_there(*proxies_[at], ask.interface, ask.method, patience, hear);
        } else {
            bus::ask_if_there(
                *proxies_[at], ask.interface, ask.method, patience, hear, ask.argument);
        }
    }

    void answered(std::size_t at, bus::Answer& answer) noexcept {
        const policy::Conditions before = watch_.now_;
        try {
            asks_[at].read(answer, watch_.now_);
        } catch (const std::exception& e) {
            // Of another type than it says.
            log::warn(name_ + " gave an answer that is none: " + e.what());
            bus::Answer nothing;
            asks_[at].read(nothing, watch_.now_);
        }
        --open_;
        if (open_ == 0 && std::exchange(again_, false)) ask();
        watch_.told(before);
    }

    ConditionWatch& watch_;
    std::string name_;
    std::vector<Ask> asks_;
    boost::asio::steady_timer settle_;
    std::size_t open_ = 0;  ///< answers that are due
    bool again_ = false;
    bool soon_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::vector<sdbus::Slot> slots_;
    std::vector<std::unique_ptr<sdbus::IProxy>>
        proxies_;  // last: pending replies refer to the rest
};

ConditionWatch::ConditionWatch(boost::asio::io_context& io,
                               sdbus::IConnection& connection,
                               BusPump& pump,
                               Timing timing,
                               std::function<void()> changed)
    : io_(io),
      connection_(connection),
      pump_(pump),
      timing_(timing),
      changed_(std::move(changed)),
      self_(std::make_shared<ConditionWatch*>(this)) {}

ConditionWatch::~ConditionWatch() = default;

void ConditionWatch::start() {
    if (!peers_.empty()) return;
    constexpr const char* kNetwork = "org.freedesktop.NetworkManager";
    constexpr const char* kNetworkPath = "/org/freedesktop/NetworkManager";
    constexpr const char* kPower = "org.freedesktop.UPower";
    constexpr const char* kPowerPath = "/org/freedesktop/UPower";
    constexpr const char* kBatteryPath = "/org/freedesktop/UPower/devices/DisplayDevice";
    constexpr const char* kLogin = "org.freedesktop.login1";
    constexpr const char* kLoginPath = "/org/freedesktop/login1";
    constexpr const char* kLoginManager = "org.freedesktop.login1.Manager";
    const auto add = [this](const char* name, std::vector<Ask> asks) {
        peers_.push_back(std::make_unique<Peer>(*this, name, std::move(asks)));
    };
    add(kNetwork, {ask_all(kNetworkPath, kNetwork, read_network)});
    peers_.back()->hear(changes_rule(kNetwork, kNetworkPath));
    add(kPower,
        {ask_all(kPowerPath, kPower, read_power),
         ask_all(kBatteryPath, "org.freedesktop.UPower.Device", read_battery)});
    peers_.back()->hear(changes_rule(kPower, kPowerPath));
    peers_.back()->hear(changes_rule(kPower, kBatteryPath));
    add(kLogin,
        {ask_all(kLoginPath, kLoginManager, read_login),
         Ask{kLoginPath, kLoginManager, "ListInhibitors", "", read_list}});
    peers_.back()->hear(changes_rule(kLogin, kLoginPath));
    peers_.back()->hear(signal_rule(kLogin, kLoginPath, "member='PrepareForShutdown'"));
    for (const auto& peer : peers_)
        peer->ask();
}

void ConditionWatch::stop() {
    waiting_.clear();
    news_ = false;
    peers_.clear();
    now_ = {};
    pump_.kick();
}

void ConditionWatch::know(std::function<void()> then) {
    const bool listens = !peers_.empty();
    start();
    waiting_.push_back(std::move(then));
    if (!listens) return;
    for (const auto& peer : peers_)
        peer->ask();
}

bool ConditionWatch::knows() const {
    return !peers_.empty() && std::all_of(peers_.begin(), peers_.end(), [](const auto& peer) {
        return peer->settled();
    });
}

void ConditionWatch::told(const policy::Conditions& before) {
    if (!(before == now_)) news_ = true;
    // Not from within a callback of the bus library: who hears it may stop us.
    boost::asio::post(io_, [weak = std::weak_ptr(self_)] {
        if (const auto self = weak.lock()) (*self)->settled();
    });
}

void ConditionWatch::settled() {
    if (!knows()) return;
    if (std::exchange(news_, false)) changed_();
    for (const auto& then : std::exchange(waiting_, {}))
        then();
}

}  // namespace cfs::service
