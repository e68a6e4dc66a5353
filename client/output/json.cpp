// SPDX-License-Identifier: Apache-2.0
#include "client/output/json.hpp"

#include <boost/json.hpp>

namespace cfs::client {
namespace {

namespace json = boost::json;

json::object document() {
    return {{"schema", 1}};
}

json::array list(const std::vector<std::string>& items) {
    json::array out;
    for (const std::string& item : items)
        out.emplace_back(item);
    return out;
}

json::object value_of(const Deployment& deployment) {
    return {
        {"digest", deployment.digest},
        {"version", deployment.version},
        {"title", deployment.title},
        {"uki", deployment.uki},
        {"state", deployment.state},
        {"image", deployment.image},
        {"manifest_digest", deployment.manifest_digest},
        {"installed", deployment.installed},
        {"next", deployment.next},
        {"problem", deployment.problem},
        {"proven", deployment.proven},
        {"locked", deployment.locked},
        {"for_anyone", deployment.for_anyone},
        {"pinned", deployment.pinned},
        {"trial", deployment.trial},
    };
}

json::object value_of(const Fallback& fallback) {
    return {
        {"version", fallback.version},
        {"digest", fallback.digest},
        {"stem", fallback.stem},
        {"reason", fallback.reason},
        {"time", fallback.time},
    };
}

json::array value_of(const std::vector<HeldVersion>& held) {
    json::array out;
    for (const HeldVersion& each : held) {
        out.push_back(json::object{
            {"digest", each.digest}, {"version", each.version}, {"reason", each.reason}});
    }
    return out;
}

json::object value_of(const Available& available) {
    json::object out = {
        {"image", available.image},
        {"version", available.version},
        {"manifest_digest", available.manifest_digest},
        {"digest", available.digest},
        {"download_bytes", available.download_bytes},
        {"reused_bytes", available.reused_bytes},
        {"checked", available.checked},
    };
    if (available.unpacked_bytes) out["unpacked_bytes"] = *available.unpacked_bytes;
    return out;
}

json::object value_of(const Failure& failure) {
    return {
        {"name", failure.name},
        {"message", failure.message},
        {"hint", failure.hint},
        {"details", failure.details},
        {"time", failure.time},
    };
}

/// null where there was or is none.
json::value value_of(const HistoryVersion& version) {
    if (version.version.empty() && version.digest.empty()) return nullptr;
    return json::object{{"version", version.version}, {"digest", version.digest}};
}

json::object value_of(const HistoryEntry& entry) {
    json::object out = {
        {"kind", entry.kind},
        {"result", entry.result},
        {"time", entry.time},
        {"first", entry.first},
        {"times", entry.times},
        {"from", value_of(entry.from)},
        {"to", value_of(entry.to)},
        {"error", entry.error},
        {"message", entry.message},
        {"fetched_bytes", entry.fetched_bytes},
        {"reused_bytes", entry.reused_bytes},
        {"duration_ms", entry.duration_ms},
        {"initiator", entry.initiator},
    };
    if (entry.initiator == "user") out["uid"] = entry.uid;
    return out;
}

template <typename T>
json::value value_of(const std::optional<T>& value) {
    return value ? json::value(value_of(*value)) : json::value(nullptr);
}

json::array value_of(const std::vector<Deployment>& deployments) {
    json::array out;
    for (const Deployment& deployment : deployments)
        out.push_back(value_of(deployment));
    return out;
}

json::array value_of(const std::vector<store::Finding>& findings) {
    json::array out;
    for (const store::Finding& finding : findings) {
        out.push_back(json::object{
            {"kind", store::to_string(finding.kind)},
            {"path", finding.path},
            {"problem", finding.problem},
        });
    }
    return out;
}

void put_members(json::object& out, const VerifyOutcome& outcome) {
    out["full"] = outcome.full;
    out["deployments"] = list(outcome.deployments);
    out["objects"] = outcome.objects;
    out["streams"] = outcome.streams;
    out["bytes"] = outcome.bytes;
    out["missing"] = outcome.missing;
    out["damaged"] = outcome.damaged;
    out["unvouched"] = outcome.unvouched;
    out["items"] = list(outcome.items);
    out["items_omitted"] = outcome.items_omitted;
    out["warnings"] = list(outcome.warnings);
}

}  // namespace

std::string to_json(const Status& status) {
    json::object out = document();
    out["state"] = status.state;
    out["booted"] = value_of(status.booted);
    out["staged"] = value_of(status.staged);
    out["rollback"] = value_of(status.rollback);
    out["deployments"] = value_of(status.deployments);
    out["fallback"] = status.fallback.has_value();
    out["fallen_back_from"] = value_of(status.fallback);
    out["held"] = value_of(status.held);
    out["available"] = value_of(status.available);
    out["last_error"] = value_of(status.last_error);
    out["reboot_pending"] = status.reboot_pending;
    out["soft_reboot_problem"] = nullptr;
    if (status.soft_reboot_problem) out["soft_reboot_problem"] = *status.soft_reboot_problem;
    out["image"] = status.image;
    out["verity"] = status.verity;
    out["warnings"] = list(status.warnings);
    json::array blockers;
    for (const Blocker& each : status.blockers)
        blockers.push_back(json::object{{"kind", each.kind}, {"text", each.text}});
    out["blockers"] = std::move(blockers);
    out["daemon_version"] = status.daemon_version;
    return json::serialize(out);
}

std::string to_json(const std::vector<HistoryEntry>& entries) {
    json::object out = document();
    json::array& list = out["history"].emplace_array();
    for (const HistoryEntry& entry : entries)
        list.push_back(value_of(entry));
    return json::serialize(out);
}

std::string to_json(const CheckOutcome& outcome) {
    json::object out = document();
    out["update_available"] = outcome.update_available;
    out["available"] = value_of(outcome.available);
    return json::serialize(out);
}

std::string to_json(const UpdateOutcome& outcome) {
    json::object out = document();
    out["outcome"] = outcome.outcome;
    out["deployment"] = value_of(outcome.deployment);
    out["fetched_bytes"] = outcome.fetched_bytes;
    out["reused_bytes"] = outcome.reused_bytes;
    out["etc_changes"] = list(outcome.etc_changes);
    out["etc_conflicts"] = list(outcome.etc_conflicts);
    return json::serialize(out);
}

std::string to_json(const CollectOutcome& outcome) {
    json::object out = document();
    out["dry_run"] = outcome.dry_run;
    out["deployments"] = list(outcome.deployments);
    out["objects"] = outcome.objects;
    out["bytes"] = outcome.bytes;
    out["items"] = list(outcome.items);
    out["items_omitted"] = outcome.items_omitted;
    out["warnings"] = list(outcome.warnings);
    return json::serialize(out);
}

std::string to_json(const PinOutcome& outcome) {
    json::object out = document();
    out["changed"] = outcome.changed;
    out["deployment"] = value_of(outcome.deployment);
    return json::serialize(out);
}

std::string to_json(const ReportOutcome& outcome) {
    json::object out = document();
    out["file"] = outcome.file;
    json::array& parts = out["parts"].emplace_array();
    for (const ReportOutcome::Part& part : outcome.parts) {
        parts.push_back(
            json::object{{"name", part.name}, {"bytes", part.bytes}, {"problem", part.problem}});
    }
    return json::serialize(out);
}

std::string to_json(const PendingOutcome& outcome) {
    json::object out = document();
    out["pending"] = outcome.pending;
    out["next"] = value_of(outcome.next);
    out["booted"] = value_of(outcome.booted);
    out["locked"] = value_of(outcome.locked);
    return json::serialize(out);
}

std::string to_json(const VerifyOutcome& outcome) {
    json::object out = document();
    out["sound"] = outcome.sound;
    put_members(out, outcome);
    return json::serialize(out);
}

std::string to_json(const RepairOutcome& outcome) {
    json::object out = document();
    out["repaired"] = outcome.repaired;
    out["layers"] = outcome.layers;
    out["fetched_bytes"] = outcome.fetched_bytes;
    put_members(out, outcome.found);
    return json::serialize(out);
}

std::string to_json(const EtcPreview& preview) {
    json::object out = document();
    out["deployment"] = preview.deployment;
    out["local_only"] = preview.local_only;
    json::array& changes = out["changes"].emplace_array();
    for (const EtcChange& change : preview.changes) {
        changes.push_back(json::object{{"path", change.path},
                                       {"kind", change.kind},
                                       {"detail", change.detail},
                                       {"lost", change.lost}});
    }
    json::array& conflicts = out["conflicts"].emplace_array();
    for (const EtcConflict& conflict : preview.conflicts) {
        conflicts.push_back(json::object{{"path", conflict.path},
                                         {"kind", conflict.kind},
                                         {"what", conflict.what},
                                         {"resolution", conflict.resolution},
                                         {"hint", conflict.hint}});
    }
    out["omitted"] = preview.omitted;
    if (preview.diff) {
        out["diff"] = *preview.diff;
    } else {
        out["diff"] = nullptr;
    }
    return json::serialize(out);
}

std::string to_json(const EtcRestored& restored) {
    json::object out = document();
    out["restored"] = restored.restored;
    out["path"] = restored.path;
    out["was"] = restored.was;
    return json::serialize(out);
}

std::string to_json(const store::FsckReport& report) {
    json::object out = document();
    out["clean"] = report.clean;
    out["findings"] = value_of(report.findings);
    out["objects_checked"] = report.objects_checked;
    out["bytes_checked"] = report.bytes_checked;
    out["streams_checked"] = report.streams_checked;
    out["images_checked"] = report.images_checked;
    out["refs_checked"] = report.refs_checked;
    return json::serialize(out);
}

std::string to_json(const Deployment& deployment) {
    json::object out = document();
    out["deployment"] = value_of(deployment);
    return json::serialize(out);
}

std::string to_json(const Error& error) {
    json::object out = document();
    out["error"] = json::object{
        {"name", to_string(error.code())},
        {"message", error.what()},
        {"hint", error.hint()},
        {"details", error.details()},
    };
    return json::serialize(out);
}

std::string job_event_json(const JobState& job) {
    json::object out = document();
    out["event"] = "job";
    out["id"] = job.id;
    out["kind"] = job.kind;
    out["state"] = job.state;
    out["stage"] = job.stage;
    out["message"] = job.message;
    out["bytes_done"] = job.bytes_done;
    out["bytes_total"] = job.bytes_total;
    out["bytes_reused"] = job.bytes_reused;
    out["rate"] = job.rate;
    out["eta"] = job.eta;
    if (job.initiator_uid) out["uid"] = *job.initiator_uid;
    return json::serialize(out);
}

std::string state_event_json(std::string_view state) {
    json::object out = document();
    out["event"] = "state";
    out["state"] = state;
    return json::serialize(out);
}

std::string text_json(const std::vector<std::pair<std::string_view, std::string>>& members) {
    json::object out = document();
    for (const auto& [key, value] : members)
        out[key] = value;
    return json::serialize(out);
}

}  // namespace cfs::client
