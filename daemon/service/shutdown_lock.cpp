// SPDX-License-Identifier: Apache-2.0
#include "service/shutdown_lock.hpp"

#include "base/file_io.hpp"
#include "base/log.hpp"
#include "service/condition_values.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace cfs::service {
namespace {

constexpr const char* kName = "org.freedesktop.login1";
constexpr const char* kPath = "/org/freedesktop/login1";
constexpr const char* kInterface = "org.freedesktop.login1.Manager";
constexpr std::chrono::seconds kPatience{5};
constexpr const char* kRule =
    "type='signal',sender='org.freedesktop.login1',path='/org/freedesktop/login1',"
    "interface='org.freedesktop.login1.Manager',member='PrepareForShutdown'";

}  // namespace

ShutdownLock::Mode lock_for(const JobView& job) {
    constexpr std::array<std::string_view, 3> kCommits = {"stage", "finalize", "rollback"};
    const bool runs = job.state == JobState::Running || job.state == JobState::Cancelling ||
                      job.state == JobState::Pausing;
    const bool changes = job.kind == JobKind::Update || job.kind == JobKind::Finalize ||
                         job.kind == JobKind::Rollback;
    if (!runs || !changes) return ShutdownLock::Mode::None;
    const bool commits =
        std::find(kCommits.begin(), kCommits.end(), job.progress.stage) != kCommits.end();
    return commits ? ShutdownLock::Mode::Block : ShutdownLock::Mode::Delay;
}

ShutdownLock::ShutdownLock(sdbus::IConnection& connection,
                           BusPump& pump,
                           std::function<void()> going_down)
    : connection_(connection), pump_(pump), going_down_(std::move(going_down)) {}

ShutdownLock::~ShutdownLock() = default;

void ShutdownLock::want(Mode mode) noexcept {
    if (mode == wanted_) return;
    wanted_ = mode;
    try {
        if (mode != Mode::None) return ask();
        lock_.reset();
        signal_ = {};
        login_.reset();
        pump_.kick();
    } catch (const std::exception& e) {
        log::debug(std::string("no lock of logind: ") + e.what());
    }
}

/// The lock that is held is held until the next one is there.
void ShutdownLock::ask() {
    if (!login_) {
        login_ = sdbus::createProxy(connection_, bus::ServiceName{kName}, sdbus::ObjectPath{kPath});
        bus::finish_registration(*login_);
        signal_ = bus::add_match(connection_, kRule, [this] { look(); });
    }
    const Mode mode = wanted_;
    bus::ask_if_there(
        *login_,
        kInterface,
        "Inhibit",
        kPatience,
        [this, mode](bus::Answer answer) {
            try {
                taken(mode, answer);
            } catch (const std::exception& e) {
                log::debug(std::string("logind's lock is none: ") + e.what());
            }
        },
        std::string("shutdown"),
        std::string("cfsupdated"),
        std::string(mode == Mode::Block ? "a system update is being made the next boot"
                                        : "a system update is being fetched"),
        std::string(mode == Mode::Block ? "block" : "delay"));
    pump_.kick();
}

void ShutdownLock::taken(Mode mode, bus::Answer& answer) {
    if (answer.failed) {
        log::debug("no lock of logind: " + std::string(answer.failed->getMessage()));
        return;
    }
    sdbus::UnixFd fd;
    *answer.reply >> fd;
    if (mode == wanted_) lock_ = duplicate_fd(fd.get());
}

/// Anybody can send us that signal: logind itself is asked.
void ShutdownLock::look() {
    if (!login_ || wanted_ != Mode::Delay) return;
    bus::ask_if_there(
        *login_,
        "org.freedesktop.DBus.Properties",
        "GetAll",
        kPatience,
        [this](bus::Answer answer) {
            try {
                bus::VariantMap properties;
                if (answer.reply) *answer.reply >> properties;
                policy::Conditions read;
                read_login(properties, read);
                if (read.shutting_down && wanted_ == Mode::Delay) going_down_();
            } catch (const std::exception& e) {
                log::debug(std::string("logind's properties are none: ") + e.what());
            }
        },
        std::string(kInterface));
    pump_.kick();
}

}  // namespace cfs::service
