// SPDX-License-Identifier: Apache-2.0
/// \file What a call of Update, Acquire or Install comes to. Pure.
#pragma once

#include "client/sysupdate/versions.hpp"
#include "dbus/bus_compat.hpp"

#include <optional>
#include <string>
#include <variant>

namespace cfs::sysupdate {

enum class Verb { Update, Acquire, Install };

/// "update", "acquire", "install": a job's Type.
[[nodiscard]] const char* to_string(Verb verb);

struct Wish {
    Verb verb = Verb::Update;
    std::string version;  ///< empty: the newest
};

/// What the daemon is asked for.
struct Plan {
    std::string method;  ///< of its Manager
    bus::VariantMap options;
    std::string version;
    bool offline = false;  ///< needs no network
};

/// update -> Update of what the check found, as the daemon's settings say; acquire -> Stage of it,
/// locked, so that no shutdown makes it the next boot; install -> Finalize of what is staged so,
/// which needs no network. What is asked for is named by its digest: what the caller saw comes, or
/// nothing. An update of what was acquired already is its installation. What somebody else locked
/// is not: to arm that the daemon wants an administrator. \param checked nullopt, or why the
/// registry could not be asked right now
[[nodiscard]] std::variant<sdbus::Error, Plan> make_plan(
    const Wish& wish, const Known& known, const std::optional<sdbus::Error>& checked);

/// The polkit action: naming the newest is no more than wishing for the newest.
[[nodiscard]] const char* action_of(const Wish& wish, const Known& known);

}  // namespace cfs::sysupdate
