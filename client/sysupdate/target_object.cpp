// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/target_object.hpp"

#include "bus/reply.hpp"
#include "bus/text.hpp"
#include "client/sysupdate/details.hpp"
#include "client/sysupdate/names.hpp"

#include <utility>

namespace cfs::sysupdate {
namespace {

using bus::Reply;

constexpr std::size_t kMaxShown = 100;

void require_flags(std::uint64_t flags, std::uint64_t allowed) {
    if ((flags & ~allowed) == 0) return;
    throw Error(ErrorCode::InvalidArgs,
                "flags " + std::to_string(flags) + " are not known here",
                allowed == 0 ? "It takes none: 0." : "It takes 0, or 1 for offline.");
}

void require_short(const char* what, const std::string& text) {
    if (text.size() <= kMaxVersion) return;
    throw Error(ErrorCode::InvalidArgs,
                std::string("a ") + what + " of " + std::to_string(text.size()) +
                    " bytes is too long: at most " + std::to_string(kMaxVersion));
}

sdbus::Error unknown(const std::string& version) {
    return bus::make_error(kNoSuchVersion,
                           "there is no version '" + bus::bus_line(version, kMaxShown) + "'");
}

/// With an empty list updatectl 257 waits for ever.
sdbus::Error nothing() {
    return bus::make_error(kNoSuchVersion,
                           "nothing is installed, and nothing was found: 'cfsctl status' and "
                           "'cfsctl check' say why");
}

bool is_here(const Version& version) {
    return version.installed || version.acquired;
}

std::vector<std::string> names_of(const Known& known, bool offline) {
    std::vector<std::string> names;
    for (const Version& version : known.versions) {
        if (!offline || is_here(version)) names.push_back(version.name);
    }
    return names;
}

sdbus::Error no_features() {
    return bus::make_error(kNotSupported, "images have no optional features");
}

/// Answers with the error, or with what `f` makes of the value.
template <typename R, typename V, typename F>
void answer(const std::shared_ptr<R>& reply, const V& outcome, F&& f) {
    if (const auto* failed = std::get_if<sdbus::Error>(&outcome)) return reply->fail(*failed);
    bus::guard(*reply, [&] { f(*std::get_if<1>(&outcome)); });
}

}  // namespace

TargetObject::TargetObject(sdbus::IConnection& connection,
                           bus::BusPump& pump,
                           bus::CallerCheck& callers,
                           Host& host,
                           Urls urls)
    : AdaptorInterfaces(connection, sdbus::ObjectPath{kTargetPath}),
      pump_(pump),
      callers_(callers),
      host_(host),
      urls_(std::move(urls)) {
    registerAdaptor();
}

TargetObject::~TargetObject() {
    unregisterAdaptor();
}

void TargetObject::List(sdbus::Result<Strings>&& result, std::uint64_t flags) {
    using Answer = Reply<Strings>;
    const auto reply = std::make_shared<Answer>(std::move(result), pump_);
    bus::guard(*reply, [&] {
        require_flags(flags, kOffline);
        const bool offline = flags != 0;
        callers_.guard_call(bus::caller_of(getObject()),
                            reply,
                            {{kCheck}, details("", offline)},
                            [this, reply, offline](Answer&, const bus::Initiator&) {
                                const auto list = [reply, offline](const auto& outcome) {
                                    answer(reply, outcome, [&](const Known& known) {
                                        const Strings names = names_of(known, offline);
                                        if (names.empty()) return reply->fail(nothing());
                                        reply->done(names);
                                    });
                                };
                                offline ? host_.known(list) : host_.look(list);
                            });
    });
}

void TargetObject::Describe(sdbus::Result<std::string>&& result,
                            std::string version,
                            std::uint64_t flags) {
    using Answer = Reply<std::string>;
    const auto reply = std::make_shared<Answer>(std::move(result), pump_);
    bus::guard(*reply, [&] {
        require_flags(flags, kOffline);
        require_short("version", version);
        const bool offline = flags != 0;
        callers_.guard_call(bus::caller_of(getObject()),
                            reply,
                            {{kCheck}, details(version, offline)},
                            [this, reply, version, offline](Answer&, const bus::Initiator&) {
                                host_.known([reply, version, offline](const auto& outcome) {
                                    answer(reply, outcome, [&](const Known& known) {
                                        const Version* const found = known.find(version);
                                        if (found == nullptr || (offline && !is_here(*found)))
                                            return reply->fail(unknown(version));
                                        reply->done(describe(*found));
                                    });
                                });
                            });
    });
}

void TargetObject::CheckNew(sdbus::Result<std::string>&& result) {
    using Answer = Reply<std::string>;
    const auto reply = std::make_shared<Answer>(std::move(result), pump_);
    callers_.guard_call(
        bus::caller_of(getObject()),
        reply,
        {{kCheck}, details("", false)},
        [this, reply](Answer&, const bus::Initiator&) {
            host_.look([reply](const auto& outcome) {
                answer(reply, outcome, [&](const Known& known) { reply->done(known.candidate()); });
            });
        });
}

/// Which action it is depends on what is there: the newest by its name is the newest.
void TargetObject::start(Verb verb, JobResult&& result, std::string version, std::uint64_t flags) {
    using Answer = Reply<std::string, std::uint64_t, sdbus::ObjectPath>;
    const auto reply = std::make_shared<Answer>(std::move(result), pump_);
    bus::guard(*reply, [&] {
        require_flags(flags, 0);
        require_short("version", version);
        const auto begin = [this, reply, caller = bus::caller_of(getObject())](
                               const Wish& wish, const std::string& action) {
            callers_.guard_call(caller,
                                reply,
                                {{action}, details(wish.version, false)},
                                [this, reply, wish, action](Answer&, const bus::Initiator& who) {
                                    host_.start(wish, action, who, [reply](const auto& outcome) {
                                        answer(reply, outcome, [&](const Host::Accepted& accepted) {
                                            reply->done(accepted.version,
                                                        accepted.job,
                                                        sdbus::ObjectPath{job_path(accepted.job)});
                                        });
                                    });
                                });
        };
        const Wish wish{verb, std::move(version)};
        if (wish.version.empty()) return begin(wish, kUpdate);
        host_.known([reply, wish, begin](const auto& outcome) {
            answer(
                reply, outcome, [&](const Known& known) { begin(wish, action_of(wish, known)); });
        });
    });
}

void TargetObject::Update(JobResult&& result, std::string version, std::uint64_t flags) {
    start(Verb::Update, std::move(result), std::move(version), flags);
}

void TargetObject::Acquire(JobResult&& result, std::string version, std::uint64_t flags) {
    start(Verb::Acquire, std::move(result), std::move(version), flags);
}

void TargetObject::Install(JobResult&& result, std::string version, std::uint64_t flags) {
    start(Verb::Install, std::move(result), std::move(version), flags);
}

void TargetObject::Vacuum(sdbus::Result<std::uint32_t, std::uint32_t>&& result) {
    using Answer = Reply<std::uint32_t, std::uint32_t>;
    const auto reply = std::make_shared<Answer>(std::move(result), pump_);
    callers_.guard_call(bus::caller_of(getObject()),
                        reply,
                        {{kVacuum}, details("", false)},
                        [this, reply](Answer&, const bus::Initiator&) {
                            host_.vacuum([reply](const auto& outcome) {
                                answer(reply, outcome, [&](std::uint32_t dropped) {
                                    reply->done(dropped, std::uint32_t{0});
                                });
                            });
                        });
}

void TargetObject::GetAppStream(sdbus::Result<Strings>&& result) {
    const auto reply = std::make_shared<Reply<Strings>>(std::move(result), pump_);
    bus::guard(*reply, [&] { urls_([reply](const Strings& urls) { reply->done(urls); }); });
}

void TargetObject::GetVersion(sdbus::Result<std::string>&& result) {
    const auto reply = std::make_shared<Reply<std::string>>(std::move(result), pump_);
    bus::guard(*reply, [&] {
        host_.known([reply](const auto& outcome) {
            answer(reply, outcome, [&](const Known& known) { reply->done(known.installed); });
        });
    });
}

void TargetObject::ListFeatures(sdbus::Result<Strings>&& result, std::uint64_t flags) {
    Reply<Strings> reply(std::move(result), pump_);
    bus::guard(reply, [&] {
        require_flags(flags, 0);
        reply.done({});
    });
}

void TargetObject::DescribeFeature(sdbus::Result<std::string>&& result,
                                   std::string feature,
                                   std::uint64_t flags) {
    Reply<std::string> reply(std::move(result), pump_);
    bus::guard(reply, [&] {
        require_flags(flags, 0);
        require_short("feature", feature);
        reply.fail(no_features());
    });
}

/// Nobody is asked for a password for what cannot be.
void TargetObject::SetFeatureEnabled(sdbus::Result<>&& result,
                                     std::string feature,
                                     std::int32_t,
                                     std::uint64_t flags) {
    Reply<> reply(std::move(result), pump_);
    bus::guard(reply, [&] {
        require_flags(flags, 0);
        require_short("feature", feature);
        reply.fail(no_features());
    });
}

std::string TargetObject::Class() {
    return kHost;
}

std::string TargetObject::Name() {
    return kHost;
}

std::string TargetObject::Path() {
    return "/";
}

}  // namespace cfs::sysupdate
