// SPDX-License-Identifier: Apache-2.0
/// \file The one place that knows which major version of sdbus-c++ is there: 1.2 (Debian 12) or 2.x
/// (Debian 13). Code elsewhere is written once: always brace a Variant, always pass
/// sdbus::ObjectPath, never move an adaptor, registerAdaptor() last in the constructor and
/// unregisterAdaptor() first in the destructor of a final class.
///
/// Threads: as sdbus-c++; the daemon touches a connection on its main thread only.
#pragma once

#include <sdbus-c++/sdbus-c++.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifndef CFS_SDBUS_MAJOR
#error "link cfs_dbus, which defines it"
#endif

namespace cfs::bus {

inline constexpr const char* kName = "org.cfsupdate1";
inline constexpr const char* kManagerPath = "/org/cfsupdate1";
inline constexpr const char* kJobPathPrefix = "/org/cfsupdate1/job/";
inline constexpr const char* kManagerInterface = "org.cfsupdate1.Manager";
inline constexpr const char* kJobInterface = "org.cfsupdate1.Job";
inline constexpr std::string_view kErrorPrefix = "org.cfsupdate1.Error.";
inline constexpr std::string_view kFreedesktopErrorPrefix = "org.freedesktop.DBus.Error.";

/// a{sv}
using VariantMap = std::map<std::string, sdbus::Variant>;

/// What a connection waits for. `deadline` is absolute, on the steady clock.
struct Poll {
    int fd;
    short events;
    int wake_fd;  ///< -1: this version has none
    std::optional<std::chrono::microseconds> deadline;
};

#if CFS_SDBUS_MAJOR >= 2

using ServiceName = sdbus::ServiceName;
using InterfaceName = sdbus::InterfaceName;
using PropertyName = sdbus::PropertyName;
/// What an asynchronous call's handler gets first; test and dereference it like a pointer.
using CallError = std::optional<sdbus::Error>;

inline sdbus::Error make_error(std::string name, std::string message) {
    return sdbus::Error(sdbus::Error::Name{std::move(name)}, std::move(message));
}

/// Handles one message; false when there is none. \throws sdbus::Error when the bus is gone
inline bool process_one(sdbus::IConnection& connection) {
    return connection.processPendingEvent();
}

inline Poll poll_data(sdbus::IConnection& connection) {
    const auto data = connection.getEventLoopPollData();
    Poll poll{data.fd, data.events, data.eventFd, std::nullopt};
    if (data.timeout != std::chrono::microseconds::max()) poll.deadline = data.timeout;
    return poll;
}

/// Unique name of the caller whose call is being dispatched; valid only in its handler.
inline std::string sender_of(const sdbus::IObject& object) {
    const char* const sender = object.getCurrentlyProcessedMessage().getSender();
    return sender == nullptr ? std::string() : std::string(sender);
}

inline void finish_registration(sdbus::IProxy&) {}

#else

using ServiceName = std::string;
using InterfaceName = std::string;
using PropertyName = std::string;
/// What an asynchronous call's handler gets first; test and dereference it like a pointer.
using CallError = const sdbus::Error*;

inline sdbus::Error make_error(std::string name, std::string message) {
    return sdbus::Error(std::move(name), std::move(message));
}

/// Handles one message; false when there is none. \throws sdbus::Error when the bus is gone
inline bool process_one(sdbus::IConnection& connection) {
    return connection.processPendingRequest();
}

inline Poll poll_data(sdbus::IConnection& connection) {
    const auto data = connection.getEventLoopPollData();
    Poll poll{data.fd, data.events, -1, std::nullopt};
    if (data.timeout_usec != UINT64_MAX) {
        poll.deadline = std::chrono::microseconds(data.timeout_usec);
    }
    return poll;
}

/// Unique name of the caller whose call is being dispatched; valid only in its handler.
inline std::string sender_of(const sdbus::IObject& object) {
    const sdbus::Message* const message = object.getCurrentlyProcessedMessage();
    return message == nullptr ? std::string() : message->getSender();
}

/// Call once all signals of `proxy` have their handlers.
inline void finish_registration(sdbus::IProxy& proxy) {
    proxy.finishRegistration();
}

#endif

/// \param bus "system", "session", or an address as in DBUS_SESSION_BUS_ADDRESS
/// \throws sdbus::Error
inline std::unique_ptr<sdbus::IConnection> connect(const std::string& bus) {
    if (bus == "system") return sdbus::createSystemBusConnection();
    if (bus == "session") return sdbus::createSessionBusConnection();
    return sdbus::createSessionBusConnectionWithAddress(bus);
}

/// PropertiesChanged of `names`, with the values that the getters give now.
inline void emit_changed(sdbus::IObject& object,
                         const char* interface,
                         const std::vector<std::string>& names) {
    const std::vector<PropertyName> converted(names.begin(), names.end());
    object.emitPropertiesChangedSignal(InterfaceName{interface}, converted);
}

}  // namespace cfs::bus
