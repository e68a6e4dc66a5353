// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/daemon.hpp"

#include "base/log.hpp"
#include "client/bus/decode.hpp"
#include "client/sysupdate/names.hpp"

#include <boost/asio/post.hpp>

#include <exception>
#include <utility>

namespace cfs::sysupdate {
namespace {

constexpr const char* kProperties = "org.freedesktop.DBus.Properties";
constexpr std::size_t kMostWaiting = 512;
/// So often it may come and go before those that wait are told that it cannot be asked.
constexpr int kAttempts = 4;
/// A daemon that is started has so long; one that runs answers from memory.
constexpr std::chrono::milliseconds kPatience{20'000};

/// Nothing may leave a callback of the bus library.
template <typename F>
void contained(F&& f) noexcept {
    try {
        std::forward<F>(f)();
    } catch (const std::exception& e) {
        log::error(std::string("handling what the daemon said failed: ") + e.what());
    }
}

Ended ended_of(std::string state, const bus::VariantMap& result) {
    Ended ended;
    ended.state = std::move(state);
    if (ended.state == "done") {
        ended.result = result;
    } else {
        ended.failure = client::decode_failure(result);
    }
    return ended;
}

/// Of an object; without a daemon the bus says other things.
bool says_there_is_none(const sdbus::Error& error) {
    const std::string name = error.getName();
    const std::string prefix = "org.freedesktop.DBus.Error.Unknown";
    return name == prefix + "Object" || name == prefix + "Interface" || name == prefix + "Method";
}

Daemon::Look look_of(const bus::VariantMap& properties) {
    Daemon::Look look;
    client::merge_job(look.state, properties);
    if (!look.state.ended()) return look;
    const char* const what = look.state.state == "done" ? "Result" : "Error";
    look.ended = ended_of(look.state.state, client::decode_map(properties, what));
    return look;
}

}  // namespace

Daemon::Daemon(boost::asio::io_context& io,
               sdbus::IConnection& connection,
               bus::BusPump& pump,
               Hooks hooks)
    : io_(io),
      connection_(connection),
      pump_(pump),
      hooks_(std::move(hooks)),
      self_(std::make_shared<Daemon*>(this)),
      manager_(proxy(bus::kManagerPath)) {
    listen();
}

Daemon::~Daemon() {
    self_.reset();
}

std::unique_ptr<sdbus::IProxy> Daemon::proxy(const std::string& path) {
    return sdbus::createProxy(connection_, bus::ServiceName{bus::kName}, sdbus::ObjectPath{path});
}

void Daemon::listen() {
    using Names = std::vector<std::string>;
    manager_->uponSignal("PropertiesChanged")
        .onInterface(kProperties)
        .call([this](const std::string&, const bus::VariantMap& changed, const Names&) {
            contained([&] { merge(changed); });
        });
    manager_->uponSignal("JobRemoved")
        .onInterface(bus::kManagerInterface)
        .call([this](std::uint64_t,
                     const sdbus::ObjectPath& job,
                     const std::string&,
                     const std::string& state,
                     const bus::VariantMap& result) {
            contained([&] { hooks_.ended(job, ended_of(state, result)); });
        });
    bus::finish_registration(*manager_);
    jobs_ =
        bus::add_match(connection_,
                       std::string("type='signal',sender='") + bus::kName +
                           "',path_namespace='/org/cfsupdate1/job',interface='" + kProperties +
                           "',member='PropertiesChanged'",
                       [this](sdbus::Message& message) { contained([&] { hear_job(message); }); });
    owner_ = bus::add_match(connection_,
                            std::string("type='signal',sender='org.freedesktop.DBus',interface='"
                                        "org.freedesktop.DBus',member='NameOwnerChanged',arg0='") +
                                bus::kName + "'",
                            [this] { contained([&] { owner_changed(); }); });
}

void Daemon::hear_job(sdbus::Message& message) {
    std::string interface;
    bus::VariantMap changed;
    message >> interface >> changed;
    if (interface != bus::kJobInterface) return;
    hooks_.progress(message.getPath(), changed);
}

void Daemon::owner_changed() {
    properties_.clear();
    status_.reset();
    hooks_.replaced();
    // Whoever waits is owed an answer, of the new one.
    if (!waiting_.empty() && ++attempts_ < kAttempts) ask();
}

void Daemon::know(Knows then) {
    if (status_) return then(std::nullopt);
    if (waiting_.size() >= kMostWaiting) {
        return then(bus::make_error(kLimitsExceeded, "too many calls wait for the daemon"));
    }
    waiting_.push_back(std::move(then));
    if (waiting_.size() > 1) return;
    attempts_ = 0;
    ask();
}

void Daemon::ask() {
    const std::uint64_t question = ++last_question_;
    const auto message = bus::make_call(
        *manager_, kProperties, "GetAll", false, std::string(bus::kManagerInterface));
    call(*manager_, message, [this, question](bus::Answer answer) {
        // An earlier daemon's answer says nothing: the one after it was asked, too.
        if (question != last_question_) return;
        if (answer.failed) return answer_all(answer.failed);
        bus::VariantMap properties;
        *answer.reply >> properties;
        take(std::move(properties));
    });
}

void Daemon::take(bus::VariantMap properties) {
    properties_ = std::move(properties);
    status_ = client::decode_status(properties_);
    hooks_.changed();
    answer_all(std::nullopt);
}

/// Before they were asked for, changes say nothing.
void Daemon::merge(const bus::VariantMap& changed) {
    if (!status_) return;
    for (const auto& [name, value] : changed)
        properties_[name] = value;
    status_ = client::decode_status(properties_);
    hooks_.changed();
}

void Daemon::answer_all(const std::optional<sdbus::Error>& failed) {
    const std::vector<Knows> waiting = std::exchange(waiting_, {});
    for (const Knows& then : waiting)
        contained([&] { then(failed); });
}

void Daemon::start(const std::string& method, const bus::VariantMap& options, Started then) {
    const auto message = bus::make_call(*manager_, bus::kManagerInterface, method, false, options);
    call(*manager_, message, [then = std::move(then)](bus::Answer answer) {
        if (answer.failed) return then(*answer.failed);
        sdbus::ObjectPath job;
        *answer.reply >> job;
        then(std::string(job));
    });
}

/// The proxy of one call. Owned here and not by the call: what ends with us must not hold itself.
std::uint64_t Daemon::make_object(const std::string& job) {
    const std::uint64_t number = ++last_object_;
    bus::finish_registration(*objects_.emplace(number, proxy(job)).first->second);
    return number;
}

/// Not within its own callback.
void Daemon::drop_object(std::uint64_t number) {
    boost::asio::post(io_, [this, weak = std::weak_ptr(self_), number] {
        if (!weak.expired()) objects_.erase(number);
    });
}

void Daemon::cancel(const std::string& job, Done then) {
    const std::uint64_t number = make_object(job);
    sdbus::IProxy& object = *objects_.at(number);
    const auto message = bus::make_call(object, bus::kJobInterface, "Cancel", false);
    call(object, message, [this, number, then = std::move(then)](bus::Answer answer) {
        drop_object(number);
        then(answer.failed);
    });
}

void Daemon::look_at(const std::string& job, Looked then) {
    const std::uint64_t number = make_object(job);
    ++calls_;
    const auto hear =
        [this, weak = std::weak_ptr(self_), number, then = std::move(then)](bus::Answer answer) {
            if (weak.expired()) return;
            --calls_;
            drop_object(number);
            contained([&] {
                if (!answer.reply) return then(std::nullopt, says_there_is_none(*answer.failed));
                bus::VariantMap properties;
                *answer.reply >> properties;
                then(look_of(properties), true);
            });
        };
    bus::ask_if_there(*objects_.at(number),
                      kProperties,
                      "GetAll",
                      kPatience,
                      hear,
                      std::string(bus::kJobInterface));
    pump_.kick();
}

void Daemon::call(sdbus::IProxy& proxy, const sdbus::MethodCall& message, Answered then) {
    ++calls_;
    // In the order in which it came: a signal behind an answer is newer.
    bus::call_then(proxy,
                   message,
                   kPatience,
                   [this, weak = std::weak_ptr(self_), then = std::move(then)](bus::Answer answer) {
                       if (weak.expired()) return;
                       --calls_;
                       contained([&] { then(std::move(answer)); });
                   });
    pump_.kick();
}

}  // namespace cfs::sysupdate
