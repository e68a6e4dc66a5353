// SPDX-License-Identifier: Apache-2.0
#include "bus/bus_error.hpp"

#include "base/log.hpp"
#include "bus/text.hpp"

namespace cfs::bus {
namespace {

constexpr const char* kInternalHint = "This is a bug: please report it with the journal's lines.";

std::string text_of(const std::string& message, const std::string& hint) {
    return bus_text(hint.empty() ? message : message + "\nHint: " + hint);
}

}  // namespace

std::string bus_error_name(ErrorCode code) {
    const bool common = code == ErrorCode::InvalidArgs || code == ErrorCode::AccessDenied;
    const std::string_view prefix = common ? kFreedesktopErrorPrefix : kErrorPrefix;
    return std::string(prefix) + std::string(to_string(code));
}

sdbus::Error to_bus_error(const Error& error) {
    return make_error(bus_error_name(error.code()), text_of(error.what(), error.hint()));
}

sdbus::Error interaction_required(const std::string& message, const std::string& hint) {
    return make_error(std::string(kFreedesktopErrorPrefix) + "InteractiveAuthorizationRequired",
                      text_of(message, hint));
}

Error to_error(std::exception_ptr caught) noexcept {
    try {
        std::rethrow_exception(std::move(caught));
    } catch (const Error& e) {
        return e;
    } catch (const std::exception& e) {
        log::error(std::string("unexpected exception: ") + e.what());
        return {ErrorCode::Internal, std::string("unexpected failure: ") + e.what(), kInternalHint};
    } catch (...) {
        log::error("unexpected exception of an unknown type");
        return {ErrorCode::Internal, "unexpected failure of an unknown kind", kInternalHint};
    }
}

}  // namespace cfs::bus
