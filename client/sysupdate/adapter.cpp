// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/adapter.hpp"

#include "base/log.hpp"
#include "bus/name.hpp"
#include "bus/reply.hpp"
#include "client/sysupdate/names.hpp"

#include <utility>

namespace cfs::sysupdate {
namespace {

std::unique_ptr<sdbus::IConnection> connect(const std::string& address) {
    try {
        return bus::connect(address);
    } catch (const sdbus::Error& e) {
        throw Error(ErrorCode::Unsupported,
                    "connecting to the bus '" + address + "': " + std::string(e.getMessage()),
                    "Is a D-Bus daemon running there? --bus takes system, session or an address.");
    }
}

}  // namespace

Adapter::Adapter(boost::asio::io_context& io, Config config, Events events)
    : io_(io),
      config_(std::move(config)),
      events_(std::move(events)),
      metadata_(config_.run_directory, config_.system),
      connection_(connect(config_.bus)),
      pump_(io,
            *connection_,
            [this](const std::string& why) {
                events_.lost(Error(ErrorCode::Io, "the connection to the bus is gone: " + why));
            },
            {}),
      callers_(std::make_unique<bus::CallerCheck>(io, *connection_, pump_, config_.callers)),
      daemon_(std::make_unique<Daemon>(io, *connection_, pump_, hooks())),
      acquired_(std::make_unique<Acquired>(*daemon_, config_.run_directory)),
      checks_(std::make_unique<Checks>(io, *daemon_, config_.checks)),
      jobs_(std::make_unique<Jobs>(io,
                                   *connection_,
                                   pump_,
                                   *callers_,
                                   *daemon_,
                                   config_.jobs,
                                   [this](const JobFacts& facts, std::int32_t status) {
                                       checks_->forget();
                                       manager_->announce_end(facts, status);
                                   })),
      host_(std::make_unique<Host>(io, *daemon_, *acquired_, *checks_, *jobs_, config_.host)),
      target_(std::make_unique<TargetObject>(*connection_, pump_, *callers_, *host_, urls())),
      manager_(std::make_unique<ManagerObject>(*connection_, pump_, *jobs_, urls())) {
    watch_name();
}

Adapter::~Adapter() {
    shut_down();
}

Daemon::Hooks Adapter::hooks() {
    Daemon::Hooks hooks;
    hooks.changed = [this] {
        acquired_->changed();
        write_metadata();
    };
    hooks.progress = [this](const std::string& job, const bus::VariantMap& changed) {
        jobs_->progress(job, changed);
    };
    hooks.ended = [this](const std::string& job, const Ended& how) {
        // Before whoever waits for it hears of it.
        acquired_->ended(job, how);
        checks_->ended(job, how);
        jobs_->ended(job, how);
        host_->ended(job, how);
    };
    hooks.replaced = [this] {
        acquired_->replaced();
        checks_->replaced();
        jobs_->replaced();
        host_->replaced();
    };
    return hooks;
}

void Adapter::watch_name() {
    bus_daemon_ = sdbus::createProxy(*connection_,
                                     bus::ServiceName{"org.freedesktop.DBus"},
                                     sdbus::ObjectPath{"/org/freedesktop/DBus"});
    bus_daemon_->uponSignal("NameLost")
        .onInterface("org.freedesktop.DBus")
        .call([this](const std::string& name) {
            if (name != kName || stopping_) return;
            events_.lost(Error(ErrorCode::Busy, "the bus name " + name + " was taken away"));
        });
    bus::finish_registration(*bus_daemon_);
}

void Adapter::start() {
    try {
        connection_->requestName(bus::ServiceName{kName});
    } catch (const sdbus::Error& e) {
        events_.lost(Error(ErrorCode::Busy,
                           std::string("the bus name ") + kName +
                               " could not be had: " + std::string(e.getMessage()),
                           "Does systemd-sysupdated run? See cfsupdated-sysupdate1(8)."));
        return;
    }
    pump_.start();
    // Most of what is asked first needs it.
    daemon_->know([](const std::optional<sdbus::Error>& failed) {
        if (failed) log::warn("the daemon does not answer: " + std::string(failed->getMessage()));
    });
    events_.ready();
}

TargetObject::Urls Adapter::urls() {
    return [this](std::function<void(const std::vector<std::string>&)> then) { give_urls(then); };
}

/// It never fails: a client that gets an error here leaves the whole system out.
void Adapter::give_urls(Give then) {
    struct Asked {
        Give then;
        boost::asio::steady_timer timer;
    };
    const auto asked = std::make_shared<Asked>(
        Asked{std::move(then), boost::asio::steady_timer(io_, config_.metadata)});
    const auto give = [this](Asked& one) {
        one.timer.cancel();
        const Give answer = std::exchange(one.then, nullptr);
        if (answer) answer({metadata_url()});
    };
    // Whoever knows owns it, and goes before the connection does.
    asked->timer.async_wait(
        [give, weak = std::weak_ptr(asked)](const boost::system::error_code& failed) {
            const auto one = weak.lock();
            if (!failed && one) give(*one);
        });
    daemon_->know([give, asked](const std::optional<sdbus::Error>&) { give(*asked); });
}

std::string Adapter::metadata_url() {
    const client::Status* const status = daemon_->status();
    const bool named = status != nullptr && status->available;
    if (named && !status->available->appstream_url.empty()) return status->available->appstream_url;
    write_metadata();
    return metadata_.url();
}

void Adapter::write_metadata() noexcept {
    try {
        metadata_.show(daemon_ ? daemon_->status() : nullptr);
    } catch (const std::exception& e) {
        log::warn(std::string("software centers see no description of this system: ") + e.what());
    }
}

std::optional<std::chrono::steady_clock::time_point> Adapter::idle_since() const {
    const bool busy = stopping_ || !jobs_->is_empty() || host_->is_busy() || checks_->is_asked() ||
                      callers_->is_asking() || daemon_->is_asked();
    if (busy) return std::nullopt;
    return pump_.last_message();
}

void Adapter::shut_down() noexcept {
    if (std::exchange(stopping_, true)) return;
    // Giving up the name hears what is queued, and that may be the daemon's yes.
    host_->stop();
    bus::quietly([this] { jobs_->abandon(); });
    pump_.stop();
    bus::give_up_name(*connection_, kName);
    // Calls that wait are answered while there is a connection: that they got no answer.
    daemon_.reset();
    callers_.reset();
    checks_.reset();
    host_.reset();
    acquired_.reset();
    jobs_.reset();
    target_.reset();
    manager_.reset();
    bus_daemon_.reset();
}

}  // namespace cfs::sysupdate
