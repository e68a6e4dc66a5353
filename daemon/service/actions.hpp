// SPDX-License-Identifier: Apache-2.0
/// \file What polkit is asked before a call does something: the one table.
/// dbus/org.cfsupdate1.policy has a description of every action here, and no other; a test compares
/// them.
#pragma once

#include "service/request.hpp"

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::service {

enum class Action {
    Check,
    CheckImage,
    Update,
    UpdateImage,
    Downgrade,
    Switch,
    Finalize,
    Rollback,
    Collect,
    Pin,
    Remove,
    Verify,
    Repair,
    PreviewEtc,
    RestoreEtc,
    Cancel,
    Pause,
    Inhibit,
    IgnoreInhibitors,
    SetPolicy,
    SoftReboot
};

inline constexpr std::array kActions{
    Action::Check,     Action::CheckImage, Action::Update,           Action::UpdateImage,
    Action::Downgrade, Action::Switch,     Action::Finalize,         Action::Rollback,
    Action::Collect,   Action::Pin,        Action::Remove,           Action::Verify,
    Action::Repair,    Action::PreviewEtc, Action::RestoreEtc,       Action::Cancel,
    Action::Pause,     Action::Inhibit,    Action::IgnoreInhibitors, Action::SetPolicy,
    Action::SoftReboot};

/// "org.cfsupdate1.update-image", ...
[[nodiscard]] std::string_view action_id(Action action);

/// May whoever sits at the machine do it without a password? Only what leads to the newest of the
/// configured image, and asking it to wait. The policy file's default; the administrator's rules
/// may say otherwise.
[[nodiscard]] bool is_for_active_users(Action action);

/// Each of them is asked for, in this order. What the options bring beyond the plain call is an
/// action of its own: another image, a finalize where the settings say to wait.
/// \param finalize_by_default the setting update.auto_finalize
[[nodiscard]] std::vector<Action> actions_of(const JobRequest& request, bool finalize_by_default);

/// For CallerCheck.
[[nodiscard]] std::vector<std::string> action_ids(const std::vector<Action>& actions);

/// What no password but root's opens, as CallerCheck::Ask::root_only; "" when there is nothing.
[[nodiscard]] std::string for_root_only(const JobRequest& request);

/// What a person who is asked for a password should know: option names and their texts, cut and
/// without control characters, because the caller wrote them.
using ActionDetails = std::map<std::string, std::string>;
[[nodiscard]] ActionDetails details_of(const JobRequest& request);

}  // namespace cfs::service
