// SPDX-License-Identifier: Apache-2.0
#include "service/automatic.hpp"

#include "base/log.hpp"
#include "service/bus.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace cfs::service {
namespace {

using policy::Blocker;
using policy::Reason;
using policy::Step;
using policy::Trigger;
using settings::PolicyLevel;

PolicyMemory remembered(const PolicyMemory::Storage& storage, policy::Time now) {
    if (!storage.load) return {};
    try {
        return PolicyMemory::from_text(storage.load(), now);
    } catch (const std::exception& e) {
        log::warn(std::string("what policy remembered cannot be read, and is forgotten: ") +
                  e.what());
        return {};
    }
}

}  // namespace

Error to_error(const std::vector<Blocker>& blockers) {
    std::string text;
    for (const Blocker& blocker : blockers)
        text += (text.empty() ? "" : "; ") + blocker.text;
    const bool passes = blockers.front().reason != Reason::Level;
    return {policy::error_code(blockers.front().reason),
            text,
            passes ? "It goes on by itself when that has passed; 'cfsctl update' does not wait."
                   : "'cfsctl update' does it now; policy.automatic is in cfsupdated.toml(5)."};
}

Automatic::Automatic(boost::asio::io_context& io,
                     sdbus::IConnection& connection,
                     BusPump& pump,
                     Config config,
                     Calls calls)
    : io_(io),
      connection_(connection),
      pump_(pump),
      config_(std::move(config)),
      calls_(std::move(calls)),
      memory_(remembered(config_.storage, config_.now())),
      policy_(laid_over(config_.policy, memory_.overrides)),
      timer_(io),
      watch_(io, connection, pump, config_.conditions, [this] { look_again(); }),
      self_(std::make_shared<Automatic*>(this)) {}

Automatic::~Automatic() = default;

void Automatic::ready() {
    const update::Status& status = calls_.status();
    const bool owed = memory_.owes_reboot && policy_.automatic == PolicyLevel::Apply &&
                      (status.reboot_pending || status.staged);
    // What was owed has happened, or somebody else saw to it.
    if (!owed && memory_.owes_reboot && policy_.automatic == PolicyLevel::Apply) {
        memory_.owes_reboot = false;
        save();
    }
    if (!owed) return;
    who_ = {};
    enter(Phase::Reboot);
}

void Automatic::submit(const JobRequest& request, const Initiator& caller, Accepted then) {
    if (request.automatic) return begin(caller, then);
    const auto accept = [this, request, caller](const Accepted& answer) {
        try {
            const std::uint64_t id = calls_.submit(request, caller);
            shared_ = shared_ || id == job_;
            answer(id);
        } catch (...) {
            answer(service::to_error(std::current_exception()));
        }
    };
    const bool held = is_update(request.kind) && caller.uid != 0 && !policy_.strict.empty();
    if (!held) return accept(then);
    know([this, accept, then = std::move(then)] {
        const auto blockers = policy::decide(policy_, question(Step::Stage, Trigger::Cli));
        if (blockers.empty()) return accept(then);
        Error error = to_error(blockers);
        error.set_hint("policy.strict holds it; an administrator's update does not wait.");
        then(error);
    });
}

/// The watch is stopped when the last that asked has its answer.
void Automatic::know(std::function<void()> then) {
    ++asking_;
    watch_.know([this, then = std::move(then)] {
        then();
        --asking_;
        listen_no_more();
    });
}

void Automatic::listen_no_more() {
    if (asking_ == 0 && phase_ == Phase::None) watch_.stop();
}

void Automatic::begin(const Initiator& caller, const Accepted& then) {
    if (job_ != 0) return then(job_);
    know([this, caller, then] {
        if (job_ != 0) return then(job_);
        who_ = caller;
        // What waits for its reboot looks for something newer first: the timer comes again.
        phase_ = Phase::Check;
        then(advance());
    });
}

Step Automatic::step() const {
    if (phase_ == Phase::Check) return Step::Check;
    if (phase_ == Phase::Reboot) return Step::Reboot;
    return policy_.automatic == PolicyLevel::Download ? Step::Download : Step::Stage;
}

policy::Question Automatic::question(Step step, Trigger trigger) const {
    policy::Question question;
    question.step = step;
    question.trigger = trigger;
    question.now = config_.now();
    question.conditions = watch_.now();
    question.release.digest = memory_.digest;
    question.release.first_seen = memory_.first_seen;
    if (const auto& available = calls_.status().available)
        question.release.rollout = policy::read_rollout(available->annotations);
    question.failures = memory_.failures;
    question.machine = config_.machine;
    return question;
}

/// \pre something is wished, and no job runs for it
std::variant<Error, std::uint64_t> Automatic::advance() {
    auto blockers = policy::decide(policy_, question(step(), Trigger::Timer));
    if (!blockers.empty()) {
        Error error = to_error(blockers);
        wait_for(std::move(blockers));
        return error;
    }
    waits_for_.clear();
    timer_.cancel();
    if (phase_ != Phase::Reboot) return start_job();
    reboot();
    return std::uint64_t{0};
}

std::variant<Error, std::uint64_t> Automatic::start_job() {
    JobRequest request;
    if (phase_ == Phase::Install) request = install_request();
    try {
        shared_ = calls_.active() != 0;
        held_ = false;
        const std::uint64_t id = calls_.submit(request, who_);
        job_ = id;
        show({});
        // A check of just now stands for one of others than root.
        if (calls_.active() != id)
            boost::asio::post(io_, [weak = std::weak_ptr(self_)] {
                const auto self = weak.lock();
                if (!self || (*self)->phase_ != Phase::Check) return;
                (*self)->job_ = 0;
                (*self)->checked();
            });
        return id;
    } catch (...) {
        // Another job, an inhibitor or a paused one: each says when it is over.
        const Error error = service::to_error(std::current_exception());
        show({{"waiting", std::string("for another update's end: ") + error.what()}});
        return error;
    }
}

JobRequest Automatic::install_request() const {
    JobRequest request;
    request.kind = JobKind::Update;
    request.lock = policy_.automatic == PolicyLevel::Download;
    request.for_anyone = request.lock;
    request.finalize = config_.finalize_by_default && !request.lock;
    // What was decided about is what is installed.
    request.expected_digest = memory_.digest;
    return request;
}

void Automatic::wait_for(std::vector<Blocker> blockers) {
    const auto reason_is = [&](Reason reason) {
        return std::any_of(blockers.begin(), blockers.end(), [reason](const Blocker& blocker) {
            return blocker.reason == reason;
        });
    };
    if (reason_is(Reason::Level)) return rest();
    waits_for_ = std::move(blockers);
    arm();
    std::vector<std::pair<std::string, std::string>> texts;
    for (const Blocker& blocker : waits_for_)
        texts.emplace_back(std::string(policy::to_string(blocker.reason)), blocker.text);
    show(std::move(texts));
}

void Automatic::arm() {
    auto when = policy::ask_again(waits_for_);
    // logind does not say when a terminal becomes idle.
    const bool idle = std::any_of(waits_for_.begin(), waits_for_.end(), [](const Blocker& blocker) {
        return blocker.reason == Reason::NotIdle;
    });
    const policy::Time soon = config_.now() + config_.look_for_idle;
    if (idle && (!when || soon < *when)) when = soon;
    timer_.cancel();
    if (!when) return;
    // The time that is asked for may be another clock's than the one that is waited on.
    const auto there = std::chrono::system_clock::now() + (*when - config_.now());
    timer_.wait_until(there, [this, idle] {
        if (!idle) return look_again();
        watch_.know([weak = std::weak_ptr(self_)] {
            if (const auto self = weak.lock()) (*self)->look_again();
        });
    });
}

void Automatic::enter(Phase phase) {
    phase_ = phase;
    // What the machine is like now, not when the step before began.
    watch_.know([this] { look_again(); });
}

void Automatic::look_again() {
    if (phase_ == Phase::None) return;
    // Not from within whoever tells us: it may be on its way through the jobs.
    boost::asio::post(io_, [weak = std::weak_ptr(self_)] {
        const auto self = weak.lock();
        // Without the answers that are due it comes again when they are there.
        if (!self || (*self)->phase_ == Phase::None || !(*self)->watch_.knows()) return;
        if ((*self)->job_ != 0) return (*self)->hold();
        static_cast<void>((*self)->advance());
    });
}

/// What runs costs what the machine has not got any more.
void Automatic::hold() {
    // A paused job does not run, and a person has it go on.
    if (phase_ != Phase::Install || shared_ || held_ || calls_.active() != job_) return;
    for (const Blocker& blocker : policy::decide(policy_, question(step(), Trigger::Timer))) {
        if (blocker.reason != Reason::Metered && blocker.reason != Reason::OnBattery) continue;
        log::info("the automatic update is stopped: " + blocker.text);
        held_ = true;
        return calls_.cancel(job_);
    }
}

void Automatic::rest() {
    phase_ = Phase::None;
    job_ = 0;
    waits_for_.clear();
    timer_.cancel();
    listen_no_more();
    show({});
}

void Automatic::ended(const JobView& job) {
    if (job.id != job_ || job_ == 0) return look_again();
    job_ = 0;
    if (job.state == JobState::Cancelled && held_) return look_again();
    if (job.state == JobState::Cancelled) return rest();
    if (job.state != JobState::Done) return failed();
    if (phase_ == Phase::Check) return checked();
    memory_.failures = {};
    memory_.owes_reboot = policy_.automatic == PolicyLevel::Apply;
    save();
    if (!memory_.owes_reboot) return rest();
    enter(Phase::Reboot);
}

void Automatic::checked() {
    const update::Status& status = calls_.status();
    if (status.available && status.available->manifest_digest != memory_.digest) {
        memory_.digest = status.available->manifest_digest;
        memory_.first_seen = config_.now();
    }
    // An installation that fails each time is no success because its check was one.
    const bool installs = status.available && policy_.automatic > PolicyLevel::Check;
    if (!installs) memory_.failures = {};
    save();
    if (installs) {
        phase_ = Phase::Install;
        // The client that waits for the check sees at its end what comes of it.
        return static_cast<void>(advance());
    }
    const bool pending = status.reboot_pending || status.staged;
    if (!memory_.owes_reboot || !pending) return rest();
    enter(Phase::Reboot);
}

void Automatic::failed() {
    memory_.failures = {memory_.failures.count + 1, config_.now()};
    save();
    phase_ = Phase::Check;
    static_cast<void>(advance());
}

void Automatic::save() {
    if (!config_.storage.save) return;
    writer_.post([save = config_.storage.save, text = memory_.to_text()] {
        try {
            save(text);
        } catch (const std::exception& e) {
            log::warn(std::string("what policy has to remember could not be kept: ") + e.what());
        }
    });
}

/// What is shown and obeyed is what is kept.
void Automatic::set_policy(const bus::VariantMap& options, Done then) {
    const PolicyOverrides before = memory_.overrides;
    memory_.overrides = changed_by(options, before);
    writer_.post([this,
                  weak = std::weak_ptr(self_),
                  save = config_.storage.save,
                  text = memory_.to_text(),
                  before,
                  then = std::make_shared<Done>(std::move(then))] {
        std::optional<Error> failed;
        try {
            if (save) save(text);
        } catch (...) {
            failed = service::to_error(std::current_exception());
        }
        boost::asio::post(io_, [weak, failed, before, then] {
            const auto self = weak.lock();
            if (!self) return;
            if (failed) (*self)->memory_.overrides = before;
            (*self)->policy_ = laid_over((*self)->config_.policy, (*self)->memory_.overrides);
            (*self)->calls_.changed();
            (*self)->look_again();
            (*then)(failed);
        });
    });
}

Dict Automatic::policy() const {
    return policy_dict(policy_, memory_.overrides);
}

/// Inhibitors were looked at just now, by decide(). A soft reboot is tried once: whether one came
/// of it is seen by who starts then, and what waits still gets the other kind.
void Automatic::reboot() {
    const update::Status& status = calls_.status();
    const std::string to = status.staged ? status.staged->digest : "";
    const bool soft = policy_.soft_reboot && !to.empty() && status.soft_reboot_problem.empty() &&
                      memory_.soft_tried != to;
    memory_.owes_reboot = soft;
    if (soft) memory_.soft_tried = to;
    save();
    rest();
    if (!soft)
        return calls_.restart->reboot([](const auto& failed) {
            if (failed) log::error(failed->what());
        });
    const auto again = [weak = std::weak_ptr(self_)](const std::string& why) {
        const auto self = weak.lock();
        log::error("no soft reboot, the machine starts again instead: " + why);
        if (self && (*self)->phase_ == Phase::None) (*self)->enter(Phase::Reboot);
    };
    try {
        calls_.restart->soft_reboot(status, [again](const auto& failed) {
            if (failed) again(failed->what());
        });
    } catch (const Error& e) {
        again(e.what());
    }
}

void Automatic::show(std::vector<std::pair<std::string, std::string>> blockers) {
    if (blockers == shown_) return;
    shown_ = std::move(blockers);
    for (const auto& [kind, text] : shown_)
        log::info("the automatic update waits (" + kind + "): " + text);
    calls_.changed();
}

std::vector<std::pair<std::string, std::string>> Automatic::blockers() const {
    return shown_;
}

}  // namespace cfs::service
