// SPDX-License-Identifier: Apache-2.0
#include "service/service.hpp"

#include "base/log.hpp"
#include "bus/name.hpp"
#include "service/bus.hpp"

#include <exception>
#include <utility>

namespace cfs::service {
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

Service::Service(boost::asio::io_context& io, update::Engine& engine, Config config, Events events)
    : events_(std::move(events)),
      shown_(std::move(config.shown)),
      connection_(connect(config.bus)),
      pump_(io,
            *connection_,
            [this](const std::string& why) {
                events_.lost(Error(ErrorCode::Io, "the connection to the bus is gone: " + why));
            },
            // A job goes on without it.
            {config.bus_patience, [this] { return jobs_.active() != nullptr; }}),
      callers_(std::make_unique<CallerCheck>(io, *connection_, pump_, config.callers)),
      inhibitors_(std::make_unique<Inhibitors>(io,
                                               *connection_,
                                               pump_,
                                               config.inhibitors,
                                               [this] {
                                                   refresh();
                                                   automatic_->look_again();
                                               })),
      restart_(std::make_unique<Restart>(
          *connection_,
          pump_,
          [&engine](const std::string& image) { engine.want_soft_reboot(image); })),
      automatic_(std::make_unique<Automatic>(
          io, *connection_, pump_, std::move(config.automatic), automatic_calls())),
      shutdown_lock_(std::make_unique<ShutdownLock>(*connection_, pump_, [this] { put_down(); })),
      jobs_(io, engine, config.timing, hooks()) {
    bus::add_object_manager(*connection_, bus::kManagerPath);
    manager_ = std::make_unique<ManagerObject>(
        *connection_, pump_, *callers_, std::move(config.facts), calls());
    log_control_ = std::make_unique<LogControl>(*connection_);
    watch_name();
}

ManagerObject::Calls Service::calls() {
    ManagerObject::Calls calls;
    calls.submit =
        [this](const JobRequest& request, const Initiator& caller, Automatic::Accepted then) {
            automatic_->submit(request, caller, std::move(then));
        };
    calls.cancel = [this](std::uint64_t id) { jobs_.cancel(id); };
    calls.set_policy = [this](const bus::VariantMap& options, Automatic::Done then) {
        automatic_->set_policy(options, std::move(then));
    };
    calls.soft_reboot = [this](Restart::Then then) {
        if (const JobView* const active = jobs_.active())
            throw Error(ErrorCode::Busy,
                        describe(*active) + " runs",
                        "'cfsctl status' shows it; 'cfsctl cancel' stops it.");
        restart_->soft_reboot(jobs_.status(), std::move(then));
    };
    calls.inhibit = [this](const InhibitWish& wish, const Initiator& caller) {
        return inhibitors_->take(wish, caller);
    };
    calls.current = [this] {
        const JobView* const active = jobs_.active();
        return active != nullptr ? active : jobs_.paused();
    };
    calls.history = [this]() -> const std::vector<update::HistoryEntry>& {
        return jobs_.status().history;
    };
    return calls;
}

Automatic::Calls Service::automatic_calls() {
    Automatic::Calls calls;
    calls.submit = [this](const JobRequest& request, const Initiator& caller) {
        return jobs_.submit(request, caller);
    };
    calls.active = [this] {
        const JobView* const active = jobs_.active();
        return active != nullptr ? active->id : 0;
    };
    calls.cancel = [this](std::uint64_t id) { jobs_.cancel(id); };
    calls.status = [this]() -> const update::Status& { return jobs_.status(); };
    calls.changed = [this] { refresh(); };
    calls.restart = restart_.get();
    return calls;
}

Service::~Service() {
    leave_bus();
}

void Service::start() {
    pump_.start();
    jobs_.start();
}

void Service::look_again() {
    if (!stopping_) jobs_.look_again();
}

Jobs::Hooks Service::hooks() {
    Jobs::Hooks hooks;
    hooks.admit = [this](const JobRequest& request) { inhibitors_->require_free(request); };
    hooks.ready = [this] { take_name(); };
    hooks.refresh = [this] {
        refresh();
        if (shown_) quietly([&] { shown_(jobs_.status()); });
    };
    hooks.added = [this](const JobView& view) {
        quietly([&] {
            job_objects_[view.id] = std::make_unique<JobObject>(
                *connection_,
                pump_,
                *callers_,
                view,
                JobObject::Calls{[this](std::uint64_t id) { jobs_.cancel(id); },
                                 [this](std::uint64_t id) { jobs_.pause(id); },
                                 [this](std::uint64_t id) { jobs_.resume(id); }});
            manager_->announce(view);
        });
    };
    hooks.changed = [this](const JobView& view) {
        const auto found = job_objects_.find(view.id);
        if (found != job_objects_.end()) quietly([&] { found->second->show(view); });
        if (shutdown_lock_) shutdown_lock_->want(lock_for(view));
    };
    hooks.ended = [this](const JobView& view) {
        quietly([&] { manager_->announce_end(view); });
        if (automatic_) automatic_->ended(view);
    };
    hooks.forgotten = [this](std::uint64_t id) { job_objects_.erase(id); };
    return hooks;
}

/// The machine goes down: what is fetched stays, and the next update goes on with it.
void Service::put_down() {
    const JobView* const active = jobs_.active();
    if (active == nullptr || !active->cancellable()) return;
    log::info(describe(*active) + " stops, because the machine is about to shut down");
    quietly([&] { jobs_.cancel(active->id); });
}

void Service::watch_name() {
    bus_daemon_ = sdbus::createProxy(*connection_,
                                     bus::ServiceName{"org.freedesktop.DBus"},
                                     sdbus::ObjectPath{"/org/freedesktop/DBus"});
    bus_daemon_->uponSignal("NameLost")
        .onInterface("org.freedesktop.DBus")
        .call([this](const std::string& name) {
            if (name != bus::kName || stopping_) return;
            events_.lost(Error(ErrorCode::Busy, "the bus name " + name + " was taken away"));
        });
    bus::finish_registration(*bus_daemon_);
}

void Service::take_name() {
    if (stopping_) return;
    try {
        connection_->requestName(bus::ServiceName{bus::kName});
        pump_.kick();
    } catch (const sdbus::Error& e) {
        events_.lost(Error(ErrorCode::Busy,
                           std::string("the bus name ") + bus::kName +
                               " could not be had: " + std::string(e.getMessage()),
                           "Is another cfsupdated running on this bus?"));
        return;
    }
    events_.ready();
    automatic_->ready();
}

void Service::refresh() {
    StringList paths;
    if (const JobView* active = jobs_.active()) paths.push_back(job_path(active->id));
    if (const JobView* paused = jobs_.paused()) paths.push_back(job_path(paused->id));
    quietly([&] {
        ManagerView view = make_view(jobs_.status(), jobs_.state_name(), std::move(paths));
        if (const JobView* paused = jobs_.paused())
            view.blockers.emplace_back("paused", describe(*paused) + " is paused");
        for (std::string& text : inhibitors_->list())
            view.blockers.emplace_back("inhibited", std::move(text));
        for (auto& blocker : automatic_->blockers())
            view.blockers.push_back(std::move(blocker));
        view.policy = automatic_->policy();
        manager_->show(std::move(view));
    });
}

void Service::shut_down(std::function<void()> done) {
    stopping_ = true;
    jobs_.shut_down([this, done = std::move(done)] {
        leave_bus();
        done();
    });
}

std::optional<std::chrono::steady_clock::time_point> Service::idle_since() const {
    const bool busy = jobs_.active() != nullptr || jobs_.state_name() == "starting" ||
                      !inhibitors_->list().empty() || callers_->is_asking() || automatic_->busy();
    if (busy || stopping_) return std::nullopt;
    return pump_.last_message();
}

void Service::leave_bus() noexcept {
    stopping_ = true;
    pump_.stop();
    if (manager_) bus::give_up_name(*connection_, bus::kName);
    callers_.reset();
    inhibitors_.reset();
    automatic_.reset();
    restart_.reset();
    shutdown_lock_.reset();
    job_objects_.clear();
    manager_.reset();
    log_control_.reset();
    bus_daemon_.reset();
}

}  // namespace cfs::service
