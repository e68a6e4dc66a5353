// SPDX-License-Identifier: Apache-2.0
#include "service/actions.hpp"

#include "service/bus.hpp"

namespace cfs::service {
namespace {

constexpr std::size_t kMaxDetail = 200;

std::vector<Action> actions_of_update(const JobRequest& request, bool finalize_by_default) {
    std::vector<Action> actions;
    if (request.kind == JobKind::Switch) {
        actions.push_back(Action::Switch);
    } else {
        actions.push_back(request.image.empty() ? Action::Update : Action::UpdateImage);
    }
    if (request.downgrade) actions.push_back(Action::Downgrade);
    // When it is finalized otherwise than the settings say, that is Finalize's question.
    const bool other = request.lock || (request.finalize && !finalize_by_default);
    if (other) actions.push_back(Action::Finalize);
    if (request.ignore_inhibitors) actions.push_back(Action::IgnoreInhibitors);
    return actions;
}

}  // namespace

std::string_view action_id(Action action) {
    switch (action) {
        case Action::Check:
            return "org.cfsupdate1.check";
        case Action::CheckImage:
            return "org.cfsupdate1.check-image";
        case Action::Update:
            return "org.cfsupdate1.update";
        case Action::UpdateImage:
            return "org.cfsupdate1.update-image";
        case Action::Downgrade:
            return "org.cfsupdate1.downgrade";
        case Action::Switch:
            return "org.cfsupdate1.switch";
        case Action::Finalize:
            return "org.cfsupdate1.finalize";
        case Action::Rollback:
            return "org.cfsupdate1.rollback";
        case Action::Collect:
            return "org.cfsupdate1.collect";
        case Action::Pin:
            return "org.cfsupdate1.pin";
        case Action::Remove:
            return "org.cfsupdate1.remove";
        case Action::Verify:
            return "org.cfsupdate1.verify";
        case Action::Repair:
            return "org.cfsupdate1.repair";
        case Action::PreviewEtc:
            return "org.cfsupdate1.etc-preview";
        case Action::RestoreEtc:
            return "org.cfsupdate1.etc-restore";
        case Action::Cancel:
            return "org.cfsupdate1.cancel";
        case Action::Pause:
            return "org.cfsupdate1.pause";
        case Action::Inhibit:
            return "org.cfsupdate1.inhibit";
        case Action::IgnoreInhibitors:
            return "org.cfsupdate1.ignore-inhibitors";
        case Action::SetPolicy:
            return "org.cfsupdate1.set-policy";
        case Action::SoftReboot:
            return "org.cfsupdate1.soft-reboot";
    }
    return "";
}

bool is_for_active_users(Action action) {
    return action == Action::Check || action == Action::Update || action == Action::Inhibit;
}

std::vector<Action> actions_of(const JobRequest& request, bool finalize_by_default) {
    switch (request.kind) {
        case JobKind::Check:
            return {request.image.empty() ? Action::Check : Action::CheckImage};
        case JobKind::Update:
        case JobKind::Stage:
        case JobKind::Switch:
            return actions_of_update(request, finalize_by_default);
        case JobKind::Finalize:
            return {Action::Finalize};
        case JobKind::Rollback:
            return {Action::Rollback};
        case JobKind::Collect:
            return {Action::Collect};
        case JobKind::Pin:
            return {Action::Pin};
        case JobKind::Remove:
            return {Action::Remove};
        case JobKind::Verify:
            return {Action::Verify};
        case JobKind::Repair:
            return {Action::Repair};
        case JobKind::PreviewEtc:
            return {Action::PreviewEtc};
        case JobKind::RestoreEtc:
            return {Action::RestoreEtc};
    }
    return {};
}

std::vector<std::string> action_ids(const std::vector<Action>& actions) {
    std::vector<std::string> ids;
    for (const Action action : actions)
        ids.emplace_back(action_id(action));
    return ids;
}

std::string for_root_only(const JobRequest& request) {
    if (request.user) return "speak for another user, the option 'user'";
    if (request.content != nullptr) return "see content of files in /etc, the option 'content'";
    return "";
}

ActionDetails details_of(const JobRequest& request) {
    ActionDetails details;
    const auto add = [&details](const char* name, const std::string& text) {
        if (!text.empty()) details.emplace(name, bus_line(text, kMaxDetail));
    };
    add("image", request.image);
    add("deployment", request.deployment);
    add("path", request.path);
    return details;
}

}  // namespace cfs::service
