// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "service/bus.hpp"
#include "service/job_view.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cfs::service {

/// Who asked that updates wait. Each holds one end of a pipe, the client the other: its last copy
/// gone, the client off the bus, or the time over, and the inhibitor is no more. They only delay:
/// what was refused because of them is accepted `max_age` later, whoever inhibits then.
///
/// Callers are hostile: so many inhibitors of one user and of all, their texts cut. Main thread
/// only; nothing survives the daemon, whose end the client sees at its end of the pipe.
class Inhibitors {
 public:
    struct Limits {
        std::size_t per_user = 8;
        std::size_t in_all = 64;  ///< of others than root
        /// Of one inhibitor, and of the delay that all of them together make. Time that the machine
        /// sleeps does not count.
        std::chrono::milliseconds max_age{std::chrono::hours(24)};
    };

    /// \param changed list() did; must not throw
    /// \pre `io` and `connection` outlive this
    Inhibitors(boost::asio::io_context& io,
               sdbus::IConnection& connection,
               BusPump& pump,
               Limits limits,
               std::function<void()> changed);
    Inhibitors(const Inhibitors&) = delete;
    Inhibitors& operator=(const Inhibitors&) = delete;
    ~Inhibitors();

    /// \returns the client's end \throws InvalidArgs; Busy when there are too many
    [[nodiscard]] UniqueFd take(const InhibitWish& wish, const Initiator& caller);

    /// \throws Inhibited, naming one that is in the way
    void require_free(const JobRequest& request);

    /// A line for each: what waits, who wants that and why.
    [[nodiscard]] std::vector<std::string> list() const;

 private:
    struct Entry;

    void admit(std::uint32_t uid) const;
    void arm(std::uint64_t id, Entry& entry);
    void end_soon(std::uint64_t id, const char* why);
    void end(std::uint64_t id, const char* why);

    boost::asio::io_context& io_;
    sdbus::IConnection& connection_;
    BusPump& pump_;
    Limits limits_;
    std::function<void()> changed_;
    std::map<std::uint64_t, std::unique_ptr<Entry>> entries_;
    std::uint64_t last_id_ = 0;
    /// When the first request of a kind was refused since one of it was accepted.
    std::map<JobKind, std::chrono::steady_clock::time_point> waiting_since_;
    std::shared_ptr<Inhibitors*> self_;  ///< what is posted looks whether this is still there
};

}  // namespace cfs::service
