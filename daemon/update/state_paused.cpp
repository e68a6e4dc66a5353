// SPDX-License-Identifier: Apache-2.0
// The part of the state that remembers a job that was paused.
#include "base/fs_at.hpp"
#include "update/engine.hpp"
#include "update/json.hpp"
#include "update/state_dir.hpp"

namespace cfs::update {
namespace {

constexpr const char* kPausedJob = "paused-job.json";

}  // namespace

std::optional<PausedJob> StateDir::paused_job() const {
    const auto object = parse_object(get(kPausedJob));
    if (!object || get_number(*object, "id") == 0) return std::nullopt;
    PausedJob out;
    out.id = get_number(*object, "id");
    out.user = static_cast<std::uint32_t>(get_number(*object, "user"));
    out.options.image = get_string(*object, "image");
    out.options.finalize = get_bool(*object, "finalize");
    out.options.expected_digest = get_string(*object, "expected-digest");
    out.options.locked = get_bool(*object, "locked");
    out.options.for_anyone = get_bool(*object, "for-anyone");
    out.options.downgrade = get_bool(*object, "downgrade");
    out.options.switching = get_bool(*object, "switching");
    out.only_stages = get_bool(*object, "only-stages");
    return out;
}

void StateDir::set_paused_job(const std::optional<PausedJob>& job) const {
    if (!job) {
        // Durably: what somebody gave up must not come back after a power cut.
        if (unlink_at(fd(), kPausedJob)) fsync_dir_at(fd(), ".");
        return;
    }
    const boost::json::object object = {{"id", job->id},
                                        {"user", job->user},
                                        {"image", job->options.image},
                                        {"finalize", job->options.finalize},
                                        {"expected-digest", job->options.expected_digest},
                                        {"locked", job->options.locked},
                                        {"for-anyone", job->options.for_anyone},
                                        {"downgrade", job->options.downgrade},
                                        {"switching", job->options.switching},
                                        {"only-stages", job->only_stages}};
    put(kPausedJob, boost::json::serialize(object) + "\n");
}

}  // namespace cfs::update
