// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/job_object.hpp"

#include "bus/reply.hpp"
#include "client/sysupdate/details.hpp"
#include "client/sysupdate/names.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>

namespace cfs::sysupdate {
namespace {

/// Where fetching ends, and where the steps after it begin.
constexpr std::uint32_t kFetched = 80;
constexpr std::array<std::pair<std::string_view, std::uint32_t>, 4> kSteps{
    {{"compose", kFetched}, {"verify", 90}, {"stage", 94}, {"finalize", 97}}};

constexpr std::array<std::pair<std::string_view, std::int32_t>, 19> kStatus{
    {{"Network", -EHOSTUNREACH},
     {"NotFound", -ENOENT},
     {"AuthRequired", -EACCES},
     {"SignatureInvalid", -EKEYREJECTED},
     {"DigestMismatch", -EBADMSG},
     {"BadFormat", -EBADMSG},
     {"NoSpace", -ENOSPC},
     {"EspFull", -ENOSPC},
     {"Busy", -EBUSY},
     {"Metered", -EAGAIN},
     {"OnBattery", -EAGAIN},
     {"Inhibited", -EAGAIN},
     {"OutsideWindow", -EAGAIN},
     {"NotIdle", -EAGAIN},
     {"NotYet", -EAGAIN},
     {"PolicyForbids", -EPERM},
     {"Cancelled", -ECANCELED},
     {"Unsupported", -EOPNOTSUPP},
     {"Io", -EIO}}};

}  // namespace

std::string job_path(std::uint64_t id) {
    return kJobPathPrefix + std::to_string(id);
}

std::uint32_t percent_of(const client::JobState& state) {
    if (state.state == "done") return 100;
    for (const auto& [stage, percent] : kSteps) {
        if (state.stage == stage) return percent;
    }
    if (state.stage != "fetch" || state.bytes_total == 0) return 0;
    const double part =
        static_cast<double>(state.bytes_done) / static_cast<double>(state.bytes_total);
    return static_cast<std::uint32_t>(std::min(part, 1.0) * kFetched);
}

std::int32_t status_of(const std::string& state, const std::string& error) {
    if (state == "done") return 0;
    if (state == "cancelled") return -ECANCELED;
    if (state == "lost") return -ECONNRESET;
    for (const auto& [name, status] : kStatus) {
        if (error == name) return status;
    }
    return 1;
}

JobObject::JobObject(sdbus::IConnection& connection,
                     bus::BusPump& pump,
                     bus::CallerCheck& callers,
                     JobFacts facts,
                     CancelJob cancel)
    : AdaptorInterfaces(connection, sdbus::ObjectPath{job_path(facts.id)}),
      pump_(pump),
      callers_(callers),
      facts_(std::move(facts)),
      cancel_(std::move(cancel)) {
    registerAdaptor();
}

JobObject::~JobObject() {
    unregisterAdaptor();
}

void JobObject::show(std::uint32_t percent) {
    if (percent <= percent_) return;
    percent_ = std::min(percent, std::uint32_t{100});
    bus::emit_changed(getObject(), kJobInterface, {"Progress"});
    pump_.kick();
}

/// Whoever started the job may without being asked.
void JobObject::Cancel(sdbus::Result<>&& result) {
    const auto reply = std::make_shared<bus::Reply<>>(std::move(result), pump_);
    // Not through `this`: the object may be gone when polkit has answered.
    callers_.guard_call(
        bus::caller_of(getObject()),
        reply,
        {{facts_.action}, details(facts_.version, false), {}, facts_.user},
        [reply, cancel = cancel_, id = facts_.id](bus::Reply<>&, const bus::Initiator&) {
            cancel(id, [reply](const std::optional<sdbus::Error>& failed) {
                failed ? reply->fail(*failed) : reply->done();
            });
        });
}

std::uint64_t JobObject::Id() {
    return facts_.id;
}

std::string JobObject::Type() {
    return facts_.type;
}

bool JobObject::Offline() {
    return facts_.offline;
}

std::uint32_t JobObject::Progress() {
    return percent_;
}

}  // namespace cfs::sysupdate
