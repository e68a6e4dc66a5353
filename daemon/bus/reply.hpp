// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/log.hpp"
#include "bus/bus_error.hpp"
#include "bus/bus_pump.hpp"

#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace cfs::bus {

/// The answer that a method call is owed, exactly one: a caller that gets none waits for 25
/// seconds. Destroyed without an answer it says Internal. Must not outlive the connection or the
/// pump. Main thread only.
template <typename... Results>
class Reply {
 public:
    Reply(sdbus::Result<Results...>&& result, BusPump& pump)
        : result_(std::move(result)), pump_(pump) {}

    Reply(const Reply&) = delete;
    Reply& operator=(const Reply&) = delete;

    ~Reply() {
        if (result_) {
            fail(Error(ErrorCode::Internal,
                       "the daemon gave no answer",
                       "It may be stopping: try again."));
        }
    }

    void done(const Results&... results) noexcept {
        send([&](auto& result) { result.returnResults(results...); });
    }

    void fail(const Error& error) noexcept { fail(to_bus_error(error)); }

    void fail(const sdbus::Error& error) noexcept {
        send([&](auto& result) { result.returnError(error); });
    }

 private:
    /// The caller may be gone, or its bus: nobody is left to tell.
    template <typename F>
    void send(F&& answer) noexcept {
        if (!result_) return;
        try {
            answer(*result_);
            pump_.kick();
        } catch (const std::exception& e) {
            log::debug(std::string("a reply could not be sent: ") + e.what());
        }
        result_.reset();
    }

    std::optional<sdbus::Result<Results...>> result_;
    BusPump& pump_;
};

/// Signals go to whoever listens; that the bus is gone is noticed by the pump, once.
template <typename F>
void quietly(F&& emit) noexcept {
    try {
        std::forward<F>(emit)();
    } catch (const std::exception& e) {
        log::warn(std::string("a signal could not be sent: ") + e.what());
    }
}

/// Runs `f`; what it throws becomes the answer. Nothing may leave a handler: version 1 of the bus
/// library ends the process then.
template <typename R, typename F>
void guard(R& reply, F&& f) noexcept {
    try {
        std::forward<F>(f)();
    } catch (...) {
        reply.fail(to_error(std::current_exception()));
    }
}

}  // namespace cfs::bus
