// SPDX-License-Identifier: Apache-2.0
#include "client/bus/bus_error.hpp"

#include "dbus/bus_compat.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace cfs::client {
namespace {

constexpr std::string_view kHint = "\nHint: ";
constexpr const char* kRootHint = "run this as root: 'sudo cfsctl ...'";

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), name) != words.end();
}

/// \param name without "org.freedesktop.DBus.Error."
Error freedesktop_error(std::string_view name, const std::string& text, const std::string& hint) {
    if (is_one_of(name, {"AccessDenied", "AuthFailed", "InteractiveAuthorizationRequired"})) {
        return Error(
            ErrorCode::AccessDenied, "not authorised: " + text, hint.empty() ? kRootHint : hint);
    }
    if (is_one_of(name, {"ServiceUnknown", "NameHasNoOwner"}) || name.starts_with("Spawn.")) {
        return Error(ErrorCode::Unsupported,
                     "the update daemon is not running: nobody owns " + std::string(bus::kName) +
                         " on this bus (" + text + ")",
                     "start it ('systemctl start cfsupdated'), or name its bus with --bus");
    }
    if (is_one_of(name, {"NoReply", "Timeout", "TimedOut", "Disconnected"})) {
        return Error(ErrorCode::Io,
                     "the update daemon does not answer: " + text,
                     "see 'journalctl -u cfsupdated'");
    }
    if (is_one_of(name,
                  {"UnknownMethod", "UnknownInterface", "UnknownObject", "UnknownProperty"})) {
        return Error(ErrorCode::Unsupported,
                     "the update daemon does not know this: " + text,
                     "daemon and client are of different versions: update the older one");
    }
    if (name == "InvalidArgs") return Error(ErrorCode::InvalidArgs, text, hint);
    return Error(ErrorCode::Internal, text + " (" + std::string(name) + ")", hint);
}

}  // namespace

Error error_from_bus(const std::string& name, const std::string& message) {
    const std::size_t at = message.rfind(kHint);
    const std::string text = message.substr(0, at);
    const std::string hint = at == std::string::npos ? "" : message.substr(at + kHint.size());
    const std::string_view view(name);
    if (view.starts_with(bus::kErrorPrefix)) {
        return Error(error_code_from(view.substr(bus::kErrorPrefix.size())), text, hint);
    }
    if (view.starts_with(bus::kFreedesktopErrorPrefix)) {
        return freedesktop_error(view.substr(bus::kFreedesktopErrorPrefix.size()), text, hint);
    }
    return Error(ErrorCode::Internal, text + " (" + name + ")", hint);
}

Error error_from_job(const Failure& failure) {
    Error error(error_code_from(failure.name), failure.message, failure.hint);
    error.set_details(failure.details);
    return error;
}

}  // namespace cfs::client
