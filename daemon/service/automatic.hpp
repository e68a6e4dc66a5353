// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "policy/decide.hpp"
#include "service/conditions.hpp"
#include "service/job_view.hpp"
#include "service/policy_memory.hpp"
#include "service/request.hpp"
#include "service/restart.hpp"
#include "service/wall_timer.hpp"
#include "service/worker.hpp"
#include "update/status.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace cfs::service {

/// The one door that an update comes through, and the policy behind it: what may begin now, what
/// waits for what, and, for an automatic one, the next step when nothing is in its way any more:
/// check, install, start the machine again. Main thread only.
///
/// A wish that waits lives in memory: who restarts the daemon has the timer for it. Only the reboot
/// that an installation owes is kept, and with it the age of the release and the failures in a row.
/// Conditions are watched while something waits or runs for the wish, and at no other time. An
/// installation that runs while the connection becomes metered or the power goes is stopped, and
/// goes on when that has passed; what was fetched is there still. Windows and idleness are about
/// beginnings, and one that somebody else asks for as well goes on.
class Automatic {
 public:
    using Accepted = std::function<void(const std::variant<Error, std::uint64_t>&)>;
    using Submit = std::function<std::uint64_t(const JobRequest&, const Initiator&)>;

    struct Config {
        settings::PolicySettings policy = {};  ///< configured
        bool finalize_by_default = true;
        std::string machine = {};  ///< policy::share_of()
        PolicyMemory::Storage storage = {};
        ConditionWatch::Timing conditions = {};
        std::chrono::milliseconds look_for_idle{std::chrono::minutes(10)};
        std::function<policy::Time()> now = [] { return std::chrono::system_clock::now(); };
    };

    struct Calls {
        Submit submit;                                  ///< may throw Error
        std::function<std::uint64_t()> active;          ///< job that waits or runs; 0: none
        std::function<void(std::uint64_t)> cancel;      ///< may throw Error
        std::function<const update::Status&()> status;  ///< of now
        std::function<void()> changed;                  ///< blockers() did
        Restart* restart = nullptr;                     ///< outlives this
    };

    /// \pre `io`, `connection` and `pump` outlive this
    Automatic(boost::asio::io_context& io,
              sdbus::IConnection& connection,
              BusPump& pump,
              Config config,
              Calls calls);
    Automatic(const Automatic&) = delete;
    Automatic& operator=(const Automatic&) = delete;
    ~Automatic();

    /// The first status is there: goes on with a reboot that is owed.
    void ready();

    /// Accepts a request as a job, or refuses it; at once, or when it is known what the machine is
    /// like. An automatic one begins with a check, whose job it is, and when it is refused for what
    /// may pass, it goes on all the same when that has.
    void submit(const JobRequest& request, const Initiator& caller, Accepted then);

    using Done = std::function<void(const std::optional<Error>& failed)>;

    /// Lays `options` over the configuration, durably, before `then` is called from the loop.
    /// \throws InvalidArgs: then nothing is changed
    void set_policy(const bus::VariantMap& options, Done then);

    /// The property Policy.
    [[nodiscard]] Dict policy() const;

    /// A job ended, anybody's.
    void ended(const JobView& job);

    /// What may have kept a job from being accepted is another.
    void look_again();

    /// Something waits or runs here: the daemon must not leave before it is done.
    [[nodiscard]] bool busy() const { return phase_ != Phase::None || asking_ != 0; }

    /// Of the wish that waits: kind and text, for the property Blockers.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> blockers() const;

 private:
    enum class Phase { None, Check, Install, Reboot };

    void begin(const Initiator& caller, const Accepted& then);
    [[nodiscard]] std::variant<Error, std::uint64_t> advance();
    [[nodiscard]] std::variant<Error, std::uint64_t> start_job();
    [[nodiscard]] JobRequest install_request() const;
    [[nodiscard]] policy::Question question(policy::Step step, policy::Trigger trigger) const;
    [[nodiscard]] policy::Step step() const;
    void wait_for(std::vector<policy::Blocker> blockers);
    void arm();
    void enter(Phase phase);
    void hold();
    void rest();
    void know(std::function<void()> then);
    void listen_no_more();
    void checked();
    void failed();
    void save();
    void reboot();
    void show(std::vector<std::pair<std::string, std::string>> blockers);

    boost::asio::io_context& io_;
    sdbus::IConnection& connection_;
    BusPump& pump_;
    Config config_;
    Calls calls_;
    PolicyMemory memory_;
    settings::PolicySettings policy_;  ///< the configuration's, and what was set over it
    Phase phase_ = Phase::None;
    Initiator who_;
    std::size_t asking_ = 0;  ///< calls that wait for what the machine is like
    std::uint64_t job_ = 0;   ///< that runs for the wish; 0: none
    bool shared_ = false;     ///< somebody else asked for it as well
    bool held_ = false;       ///< it was asked to stop, and is to come back
    std::vector<policy::Blocker> waits_for_;
    std::vector<std::pair<std::string, std::string>> shown_;
    WallTimer timer_;
    ConditionWatch watch_;
    std::shared_ptr<Automatic*> self_;      ///< what is posted looks whether this is still there
    Worker writer_{Worker::AtEnd::Finish};  ///< last: writes what is remembered, then goes
};

/// A reason as the answer to a call.
[[nodiscard]] Error to_error(const std::vector<policy::Blocker>& blockers);

}  // namespace cfs::service
