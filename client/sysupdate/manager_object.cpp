// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/manager_object.hpp"

#include "bus/reply.hpp"
#include "client/sysupdate/names.hpp"

#include <memory>
#include <utility>

namespace cfs::sysupdate {

ManagerObject::ManagerObject(sdbus::IConnection& connection,
                             bus::BusPump& pump,
                             const Jobs& jobs,
                             TargetObject::Urls urls)
    : AdaptorInterfaces(connection, sdbus::ObjectPath{kManagerPath}),
      pump_(pump),
      jobs_(jobs),
      urls_(std::move(urls)) {
    registerAdaptor();
}

ManagerObject::~ManagerObject() {
    unregisterAdaptor();
}

void ManagerObject::announce_end(const JobFacts& facts, std::int32_t status) {
    emitJobRemoved(facts.id, sdbus::ObjectPath{job_path(facts.id)}, status);
    pump_.kick();
}

void ManagerObject::ListTargets(sdbus::Result<Targets>&& result) {
    bus::Reply<Targets> reply(std::move(result), pump_);
    bus::guard(reply, [&] {
        Targets targets;
        targets.emplace_back(kHost, kHost, sdbus::ObjectPath{kTargetPath});
        reply.done(targets);
    });
}

void ManagerObject::ListJobs(sdbus::Result<JobList>&& result) {
    bus::Reply<JobList> reply(std::move(result), pump_);
    bus::guard(reply, [&] {
        JobList jobs;
        if (const JobObject* job = jobs_.active()) {
            const JobFacts& facts = job->facts();
            jobs.emplace_back(
                facts.id, facts.type, job->percent(), sdbus::ObjectPath{job_path(facts.id)});
        }
        reply.done(jobs);
    });
}

void ManagerObject::ListAppStream(sdbus::Result<std::vector<std::string>>&& result) {
    using Answer = bus::Reply<std::vector<std::string>>;
    const auto reply = std::make_shared<Answer>(std::move(result), pump_);
    bus::guard(*reply, [&] { urls_([reply](const auto& urls) { reply->done(urls); }); });
}

}  // namespace cfs::sysupdate
