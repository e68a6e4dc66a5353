// SPDX-License-Identifier: Apache-2.0
#include "service/job_view.hpp"

#include "dbus/bus_compat.hpp"

namespace cfs::service {

std::string_view to_string(JobState state) {
    switch (state) {
        case JobState::Queued:
            return "queued";
        case JobState::Running:
            return "running";
        case JobState::Pausing:
            return "pausing";
        case JobState::Paused:
            return "paused";
        case JobState::Cancelling:
            return "cancelling";
        case JobState::Done:
            return "done";
        case JobState::Failed:
            return "failed";
        case JobState::Cancelled:
            return "cancelled";
    }
    return "";
}

std::string describe(const JobView& view) {
    return "job " + std::to_string(view.id) + " (" + std::string(to_string(view.kind)) + ")";
}

std::string job_path(std::uint64_t id) {
    return bus::kJobPathPrefix + std::to_string(id);
}

std::vector<std::string> changed_names(const JobView& before, const JobView& after) {
    std::vector<std::string> names;
    const auto compare = [&names](const char* name, const auto& one, const auto& other) {
        if (!(one == other)) names.emplace_back(name);
    };
    compare("State", before.state, after.state);
    compare("Stage", before.progress.stage, after.progress.stage);
    compare("BytesDone", before.progress.done, after.progress.done);
    compare("BytesTotal", before.progress.total, after.progress.total);
    compare("BytesReused", before.progress.reused, after.progress.reused);
    compare("Rate", before.rate, after.rate);
    compare("Eta", before.eta, after.eta);
    compare("Message", before.progress.message, after.progress.message);
    compare("Cancellable", before.cancellable(), after.cancellable());
    compare("Pausable", before.pausable(), after.pausable());
    compare("Error", before.error, after.error);
    compare("Result", before.result, after.result);
    return names;
}

}  // namespace cfs::service
