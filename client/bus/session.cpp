// SPDX-License-Identifier: Apache-2.0
#include "client/bus/session.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

namespace cfs::client {
namespace {

using std::chrono::milliseconds;

constexpr const char* kBusName = "org.freedesktop.DBus";

UniqueFd make_event() {
    UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!fd) throw_errno("preparing for Ctrl-C");
    return fd;
}

void raise_event(int fd) {
    const std::uint64_t one = 1;
    // It can only fail when it is raised already.
    static_cast<void>(::write(fd, &one, sizeof one) == sizeof one);
}

/// Until `deadline` of the connection, but no longer than `timeout`.
milliseconds shorter(milliseconds timeout, const bus::Poll& poll) {
    if (!poll.deadline) return timeout;
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const auto left = std::chrono::ceil<milliseconds>(*poll.deadline - now);
    return std::clamp(left, milliseconds(0), timeout);
}

std::unique_ptr<sdbus::IConnection> connect(const std::string& bus) {
    try {
        return bus::connect(bus);
    } catch (const sdbus::Error& error) {
        const bool named = bus == "system" || bus == "session";
        throw Error(ErrorCode::Unsupported,
                    "cannot connect to " +
                        (named ? "the " + bus + " bus" : "the bus '" + bus + "'") + ": " +
                        error.getMessage(),
                    "name a bus that runs: --bus system, --bus session or --bus unix:path=...");
    }
}

}  // namespace

BusSession::BusSession(const std::string& bus, bool ask_password)
    : interrupt_(make_event()),
      interrupts_([fd = interrupt_.get()] { raise_event(fd); }),
      connection_(connect(bus)),
      ask_password_(ask_password) {
    on_bus([this] { watch_daemon(); });
}

void BusSession::watch_daemon() {
    bus_proxy_ = sdbus::createProxy(
        *connection_, bus::ServiceName{kBusName}, sdbus::ObjectPath{"/org/freedesktop/DBus"});
    bus_proxy_->uponSignal("NameOwnerChanged")
        .onInterface(kBusName)
        .call([this](const std::string& name, const std::string& old, const std::string& owner) {
            if (name == bus::kName && !old.empty() && owner.empty()) gone_ = true;
        });
    bus::finish_registration(*bus_proxy_);
}

std::unique_ptr<sdbus::IProxy> BusSession::object_proxy(const std::string& path) {
    return on_bus([&] {
        return sdbus::createProxy(
            *connection_, bus::ServiceName{bus::kName}, sdbus::ObjectPath{path});
    });
}

bool BusSession::dispatch() {
    bool handled = false;
    while (on_bus([this] { return bus::process_one(*connection_); }))
        handled = true;
    return handled;
}

void BusSession::wait(milliseconds timeout) {
    if (dispatch()) return;
    const bus::Poll poll = bus::poll_data(*connection_);
    std::array<pollfd, 3> fds = {
        {{poll.fd, poll.events, 0}, {interrupt_.get(), POLLIN, 0}, {poll.wake_fd, POLLIN, 0}}};
    const auto left = static_cast<int>(shorter(timeout, poll).count());
    if (::poll(fds.data(), fds.size(), left) < 0 && errno != EINTR) {
        throw_errno("waiting for the update daemon");
    }
    static_cast<void>(dispatch());
}

sdbus::MethodReply BusSession::answer_to(sdbus::IProxy& proxy, const sdbus::MethodCall& message) {
    // Shared, because an answer may come after this was left.
    const auto answer = std::make_shared<bus::Answer>();
    bus::call_async(proxy, message, bus::call_patience(ask_password_), answer);
    while (!answer->reply && !answer->failed) {
        wait(std::chrono::hours(1));
        if (!take_interrupt()) continue;
        throw Error(ErrorCode::Cancelled,
                    "left before the update daemon allowed it",
                    "run it again, as root if there is nobody to type a password");
    }
    if (answer->failed) throw sdbus::Error(*answer->failed);
    return *answer->reply;
}

bool BusSession::take_interrupt() {
    std::uint64_t count = 0;
    return ::read(interrupt_.get(), &count, sizeof count) == sizeof count;
}

bus::VariantMap get_all(sdbus::IProxy& proxy, const char* interface) {
    return on_bus([&] {
        bus::VariantMap out;
        proxy.callMethod("GetAll")
            .onInterface("org.freedesktop.DBus.Properties")
            .withArguments(std::string(interface))
            .storeResultsTo(out);
        return out;
    });
}

}  // namespace cfs::client
