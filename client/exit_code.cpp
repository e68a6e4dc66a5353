// SPDX-License-Identifier: Apache-2.0
#include "client/exit_code.hpp"

namespace cfs::client {

ExitCode exit_code_for(ErrorCode code) {
    switch (code) {
        case ErrorCode::NotFound:
            return ExitCode::NotFound;
        case ErrorCode::AccessDenied:
            return ExitCode::NotAuthorised;
        case ErrorCode::DowngradeRejected:
        case ErrorCode::SlotNotProven:
        case ErrorCode::Metered:
        case ErrorCode::OnBattery:
        case ErrorCode::Inhibited:
        case ErrorCode::OutsideWindow:
        case ErrorCode::RegistryBlocked:
        case ErrorCode::PolicyForbids:
        case ErrorCode::NotIdle:
        case ErrorCode::NotYet:
            return ExitCode::Blocked;
        case ErrorCode::Network:
        case ErrorCode::AuthRequired:
        case ErrorCode::SignatureInvalid:
        case ErrorCode::DigestMismatch:
        case ErrorCode::BadFormat:
        case ErrorCode::NoSpace:
        case ErrorCode::EspFull:
        case ErrorCode::Busy:
        case ErrorCode::MergeConflict:
        case ErrorCode::NotOurs:
        case ErrorCode::Cancelled:
        case ErrorCode::Unsupported:
        case ErrorCode::StateCorrupt:
        case ErrorCode::Internal:
        case ErrorCode::Io:
        case ErrorCode::InvalidArgs:
            return ExitCode::Error;
    }
    return ExitCode::Error;
}

}  // namespace cfs::client
