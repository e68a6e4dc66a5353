// SPDX-License-Identifier: Apache-2.0
#include "service/request.hpp"

namespace cfs::service {

std::string_view to_string(JobKind kind) {
    switch (kind) {
        case JobKind::Check:
            return "check";
        case JobKind::Update:
            return "update";
        case JobKind::Stage:
            return "stage";
        case JobKind::Switch:
            return "switch";
        case JobKind::Finalize:
            return "finalize";
        case JobKind::Rollback:
            return "rollback";
        case JobKind::Collect:
            return "collect";
        case JobKind::Pin:
            return "pin";
        case JobKind::Remove:
            return "remove";
        case JobKind::Verify:
            return "verify";
        case JobKind::Repair:
            return "repair";
        case JobKind::PreviewEtc:
            return "preview-etc";
        case JobKind::RestoreEtc:
            return "restore-etc";
    }
    return "";
}

std::string_view state_name(JobKind kind) {
    switch (kind) {
        case JobKind::Check:
            return "checking";
        case JobKind::Update:
            return "updating";
        case JobKind::Stage:
            return "staging";
        case JobKind::Switch:
            return "switching";
        case JobKind::Finalize:
            return "finalizing";
        case JobKind::Rollback:
            return "rolling-back";
        case JobKind::Collect:
            return "collecting";
        case JobKind::Pin:
            return "pinning";
        case JobKind::Remove:
            return "removing";
        case JobKind::Verify:
            return "verifying";
        case JobKind::Repair:
            return "repairing";
        case JobKind::PreviewEtc:
            return "previewing-etc";
        case JobKind::RestoreEtc:
            return "restoring-etc";
    }
    return "";
}

bool is_update(JobKind kind) {
    return kind == JobKind::Update || kind == JobKind::Stage || kind == JobKind::Switch;
}

bool is_joinable(JobKind kind) {
    return is_update(kind) || kind == JobKind::Check || kind == JobKind::Verify ||
           kind == JobKind::Repair || kind == JobKind::PreviewEtc;
}

bool is_pausable(JobKind kind) {
    return is_update(kind);
}

}  // namespace cfs::service
