// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

#include <array>
#include <cerrno>

namespace cfs {
namespace {

constexpr std::array<std::string_view, 28> kNames = {
    "Network",
    "NotFound",
    "AuthRequired",
    "SignatureInvalid",
    "DigestMismatch",
    "BadFormat",
    "NoSpace",
    "EspFull",
    "Busy",
    "MergeConflict",
    "DowngradeRejected",
    "SlotNotProven",
    "NotOurs",
    "Metered",
    "OnBattery",
    "Inhibited",
    "OutsideWindow",
    "Cancelled",
    "Unsupported",
    "StateCorrupt",
    "Internal",
    "Io",
    "InvalidArgs",
    "AccessDenied",
    "RegistryBlocked",
    "PolicyForbids",
    "NotIdle",
    "NotYet",
};
static_assert(kNames.size() == static_cast<std::size_t>(ErrorCode::NotYet) + 1);

ErrorCode code_for_errno(int err) {
    switch (err) {
        case ENOSPC:
        case EDQUOT:
            return ErrorCode::NoSpace;
        case EIO:
        case EROFS:
            return ErrorCode::Io;
        case ENOENT:
            return ErrorCode::NotFound;
        case EACCES:
        case EPERM:
            return ErrorCode::AccessDenied;
        case EOPNOTSUPP:
        case ENOSYS:
            return ErrorCode::Unsupported;
        default:
            return ErrorCode::Internal;
    }
}

std::string hint_for_errno(int err) {
    switch (err) {
        case ENOSPC:
        case EDQUOT:
            return "free space on that file system, or run 'cfsctl gc'";
        case EIO:
            return "the disk reports errors: check the kernel log";
        case EROFS:
            return "the file system is read-only: check the kernel log and how it is mounted";
        case EACCES:
        case EPERM:
            return "run this as root";
        default:
            return {};
    }
}

}  // namespace

std::string_view to_string(ErrorCode code) {
    return kNames.at(static_cast<std::size_t>(code));
}

ErrorCode error_code_from(std::string_view name) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames.at(i) == name) return static_cast<ErrorCode>(i);
    }
    return ErrorCode::Internal;
}

Error::Error(ErrorCode code, std::string message, std::string hint)
    : Error(code, std::error_code{}, std::move(message), std::move(hint)) {}

Error::Error(ErrorCode code, std::error_code sys, std::string message, std::string hint)
    : std::runtime_error(message),
      code_(code),
      sys_(sys),
      hint_(std::move(hint)),
      text_(std::move(message)) {}

void Error::add_context(std::string_view context) {
    text_.insert(0, ": ");
    text_.insert(0, context);
}

void throw_errno(int err, std::string_view doing) {
    const std::error_code sys(err, std::generic_category());
    throw Error(
        code_for_errno(err), sys, std::string(doing) + ": " + sys.message(), hint_for_errno(err));
}

void throw_errno(std::string_view doing) {
    throw_errno(errno, doing);
}

}  // namespace cfs
