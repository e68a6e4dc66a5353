// SPDX-License-Identifier: Apache-2.0
/// \file The one exception class of this project, and the one taxonomy of failures.
///
/// Business code throws and never catches; callers add context on the way up with `with_context`.
/// The catch sites are: the D-Bus service, the job runner, C callbacks, and `main`.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace cfs {

/// Stable names: they appear on the bus as `org.cfsupdate1.Error.<name>`, in `--json` output and in
/// persisted job records. Add at the end, never rename. InvalidArgs and AccessDenied go out under
/// their `org.freedesktop.DBus.Error.` names.
enum class ErrorCode {
    Network,           ///< the registry cannot be reached or answers wrongly; trying again may help
    NotFound,          ///< the named image, tag, blob, deployment or file does not exist
    AuthRequired,      ///< the registry wants credentials
    SignatureInvalid,  ///< a signature is missing, broken, or not by a trusted certificate
    DigestMismatch,    ///< bytes are not the ones that were named
    BadFormat,         ///< input breaks its format's rules
    NoSpace,           ///< the store's or the state's file system is full
    EspFull,           ///< the EFI system partition is full
    Busy,              ///< somebody else holds what is needed
    MergeConflict,     ///< /etc cannot be merged without a decision
    DowngradeRejected,  ///< the image is older than policy allows
    SlotNotProven,      ///< the running deployment has not passed its health checks yet
    NotOurs,            ///< the image is another product's or another architecture's
    Metered,
    OnBattery,
    Inhibited,
    OutsideWindow,
    Cancelled,
    Unsupported,   ///< the kernel, the file system or this version cannot do it
    StateCorrupt,  ///< our own records or the store are damaged
    Internal,      ///< a bug, or a system call failed in a way nothing else here describes
    Io,            ///< a disk failed or is read-only (neither our bug nor damaged state)
    InvalidArgs,   ///< the caller's arguments are wrong
    AccessDenied,
    RegistryBlocked,  ///< the machine's registries.conf forbids this image
    PolicyForbids,    ///< the policy leaves it to a person
    NotIdle,          ///< somebody is working at the machine
    NotYet,           ///< its time has not come: rollout, back-off, a machine that shuts down
};

/// "Network", "NotFound", ...
[[nodiscard]] std::string_view to_string(ErrorCode code);

/// Inverse of to_string; Internal for an unknown name (a record of a newer version).
[[nodiscard]] ErrorCode error_code_from(std::string_view name);

/// Thread-safe as a value. `what()` reads "outer context: inner context: message".
class Error : public std::runtime_error {
 public:
    /// \param message what happened, naming the thing, the expected and the found
    /// \param hint    what the reader should do next; one sentence, may be empty
    Error(ErrorCode code, std::string message, std::string hint = {});
    Error(ErrorCode code, std::error_code sys, std::string message, std::string hint = {});

    [[nodiscard]] ErrorCode code() const { return code_; }

    /// The system error behind it, if there was one.
    [[nodiscard]] std::error_code system() const { return sys_; }

    [[nodiscard]] const std::string& hint() const { return hint_; }

    /// Longer material for a person (candidates tried, a diff); not part of what().
    [[nodiscard]] const std::string& details() const { return details_; }

    [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

    void add_context(std::string_view context);

    Error& set_details(std::string details) {
        details_ = std::move(details);
        return *this;
    }

    Error& set_hint(std::string hint) {
        hint_ = std::move(hint);
        return *this;
    }

 private:
    ErrorCode code_;
    std::error_code sys_;
    std::string hint_;
    std::string details_;
    std::string text_;
};

/// Throws Error for a failed system call: ENOSPC and EDQUOT become NoSpace, EIO and EROFS Io,
/// ENOENT NotFound, EACCES and EPERM AccessDenied, everything else Internal.
/// \param doing "opening 'x'": a phrase with the name in it
[[noreturn]] void throw_errno(int err, std::string_view doing);

/// Throws with the current errno.
[[noreturn]] void throw_errno(std::string_view doing);

/// Runs `f`; an Error that leaves it gets `context` prepended.
template <typename F>
decltype(auto) with_context(std::string_view context, F&& f) {
    try {
        return std::forward<F>(f)();
    } catch (Error& e) {
        e.add_context(context);
        throw;
    }
}

}  // namespace cfs
