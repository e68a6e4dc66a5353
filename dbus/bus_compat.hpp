// SPDX-License-Identifier: Apache-2.0
/// \file The one place that knows which major version of sdbus-c++ is there: 1.2 (Debian 12) or 2.x
/// (Debian 13). Code elsewhere is written once: always brace a Variant, always pass
/// sdbus::ObjectPath, never move an adaptor, registerAdaptor() last in the constructor and
/// unregisterAdaptor() first in the destructor of a final class.
///
/// Threads: as sdbus-c++; the daemon touches a connection on its main thread only.
#pragma once

#include <sdbus-c++/sdbus-c++.h>
#include <systemd/sd-bus.h>

#include <chrono>
#include <cstdint>
#include <functional>
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

/// Who makes a call, and whether it may be held up to ask a person for a password.
struct Caller {
    std::string name;  ///< unique name
    bool interactive = false;
};

/// No version of the library has a word for the flag ALLOW_INTERACTIVE_AUTHORIZATION, but every one
/// keeps the message that sd-bus knows where a derived class sees it.
struct RawMessage : sdbus::Message {
    static sd_bus_message* of(const sdbus::Message& message) {
        return static_cast<sd_bus_message*>(message.*(&RawMessage::msg_));
    }
};

inline bool may_ask(const sdbus::Message& message) {
    return sd_bus_message_get_allow_interactive_authorization(RawMessage::of(message)) > 0;
}

/// Before the message is sent.
inline void let_ask(sdbus::Message& message) {
    // It fails for sealed messages only, which this one is not.
    static_cast<void>(
        sd_bus_message_set_allow_interactive_authorization(RawMessage::of(message), 1));
}

#if CFS_SDBUS_MAJOR >= 2

using ServiceName = sdbus::ServiceName;
using InterfaceName = sdbus::InterfaceName;
using MethodName = sdbus::MethodName;
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

/// The caller whose call is being dispatched; valid only in its handler.
inline Caller caller_of(const sdbus::IObject& object) {
    const sdbus::Message message = object.getCurrentlyProcessedMessage();
    const char* const sender = message.getSender();
    return {sender == nullptr ? std::string() : std::string(sender), may_ask(message)};
}

/// Hears what `rule` matches until the slot goes; `hear` must not destroy it, and must not throw.
/// The bus daemon is asked and waited for.
inline sdbus::Slot add_match(sdbus::IConnection& connection,
                             const std::string& rule,
                             std::function<void()> hear) {
    return connection.addMatch(
        rule, [hear = std::move(hear)](sdbus::Message) { hear(); }, sdbus::return_slot);
}

/// The same with the message.
inline sdbus::Slot add_match(sdbus::IConnection& connection,
                             const std::string& rule,
                             std::function<void(sdbus::Message&)> hear) {
    return connection.addMatch(
        rule,
        [hear = std::move(hear)](sdbus::Message message) { hear(message); },
        sdbus::return_slot);
}

inline void finish_registration(sdbus::IProxy&) {}

/// What is below `path` is listed by its GetManagedObjects, for as long as the connection lives.
inline void add_object_manager(sdbus::IConnection& connection, const char* path) {
    connection.addObjectManager(sdbus::ObjectPath{path});
}

#else

using ServiceName = std::string;
using InterfaceName = std::string;
using MethodName = std::string;
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

/// The caller whose call is being dispatched; valid only in its handler.
inline Caller caller_of(const sdbus::IObject& object) {
    const sdbus::Message* const message = object.getCurrentlyProcessedMessage();
    if (message == nullptr) return {};
    return {message->getSender(), may_ask(*message)};
}

/// Hears what `rule` matches until the slot goes; `hear` must not destroy it, and must not throw.
/// The bus daemon is asked and waited for.
inline sdbus::Slot add_match(sdbus::IConnection& connection,
                             const std::string& rule,
                             std::function<void()> hear) {
    return connection.addMatch(rule, [hear = std::move(hear)](sdbus::Message&) { hear(); });
}

/// The same with the message.
inline sdbus::Slot add_match(sdbus::IConnection& connection,
                             const std::string& rule,
                             std::function<void(sdbus::Message&)> hear) {
    return connection.addMatch(
        rule, [hear = std::move(hear)](sdbus::Message& message) { hear(message); });
}

/// What is below `path` is listed by its GetManagedObjects, for as long as the connection lives.
inline void add_object_manager(sdbus::IConnection& connection, const char* path) {
    connection.addObjectManager(path, sdbus::floating_slot);
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

/// How long a call waits: without `ask` a little longer than the daemon lets polkit think.
inline std::chrono::seconds call_patience(bool ask) {
    return std::chrono::seconds(ask ? 360 : 30);
}

/// \param ask whether a person may be asked for a password meanwhile
template <typename... Args>
sdbus::MethodCall make_call(sdbus::IProxy& proxy,
                            const char* interface,
                            const std::string& method,
                            bool ask,
                            const Args&... args) {
    sdbus::MethodCall message =
        proxy.createMethodCall(InterfaceName{interface}, MethodName{method});
    if (ask) let_ask(message);
    static_cast<void>((static_cast<sdbus::Message&>(message) << ... << args));
    return message;
}

/// Calls and waits.
template <typename... Args>
sdbus::MethodReply call(sdbus::IProxy& proxy,
                        const char* interface,
                        const std::string& method,
                        bool ask,
                        const Args&... args) {
    return proxy.callMethod(make_call(proxy, interface, method, ask, args...), call_patience(ask));
}

/// One of the two, once it is there.
struct Answer {
    std::optional<sdbus::MethodReply> reply;
    std::optional<sdbus::Error> failed;
};

/// Calls; `answer` is filled while messages are processed.
inline void call_async(sdbus::IProxy& proxy,
                       const sdbus::MethodCall& message,
                       std::chrono::seconds patience,
                       std::shared_ptr<Answer> answer) {
    const auto hear = [answer = std::move(answer)](auto&& reply, auto&& failed) {
        if (failed) {
            answer->failed = *failed;
        } else {
            answer->reply = reply;
        }
    };
#if CFS_SDBUS_MAJOR >= 2
    (void)proxy.callMethodAsync(message, hear, patience);
#else
    (void)proxy.callMethod(message, hear, patience);
#endif
}

/// Calls; `hear` gets the one or the other while messages are processed, unless `proxy` goes first,
/// and must not throw.
inline void call_then(sdbus::IProxy& proxy,
                      const sdbus::MethodCall& message,
                      std::chrono::milliseconds patience,
                      std::function<void(Answer)> hear) {
    const auto fill = [hear = std::move(hear)](auto&& reply, auto&& failed) {
        Answer answer;
        if (failed) {
            answer.failed = *failed;
        } else {
            answer.reply = reply;
        }
        hear(std::move(answer));
    };
#if CFS_SDBUS_MAJOR >= 2
    (void)proxy.callMethodAsync(message, fill, patience);
#else
    (void)proxy.callMethod(message, fill, patience);
#endif
}

/// Calls a service that runs; one that does not is not started for it. As call_then() otherwise.
template <typename... Args>
void ask_if_there(sdbus::IProxy& proxy,
                  const char* interface,
                  const char* method,
                  std::chrono::milliseconds patience,
                  std::function<void(Answer)> hear,
                  const Args&... args) {
    const sdbus::MethodCall message = make_call(proxy, interface, method, false, args...);
    static_cast<void>(sd_bus_message_set_auto_start(RawMessage::of(message), 0));
    call_then(proxy, message, patience, std::move(hear));
}

/// PropertiesChanged of `names`, with the values that the getters give now.
inline void emit_changed(sdbus::IObject& object,
                         const char* interface,
                         const std::vector<std::string>& names) {
    const std::vector<PropertyName> converted(names.begin(), names.end());
    object.emitPropertiesChangedSignal(InterfaceName{interface}, converted);
}

}  // namespace cfs::bus
