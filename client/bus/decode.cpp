// SPDX-License-Identifier: Apache-2.0
#include "client/bus/decode.hpp"

namespace cfs::client {
namespace {

/// Sets `out` when the key is there with that type.
template <typename T>
void read(const bus::VariantMap& map, const char* key, T& out) {
    const auto found = map.find(key);
    if (found != map.end() && found->second.containsValueOfType<T>()) {
        out = found->second.get<T>();
    }
}

template <typename T, typename Decode>
std::optional<T> decode_optional(const bus::VariantMap& map, const char* key, Decode decode) {
    const bus::VariantMap inner = decode_map(map, key);
    return inner.empty() ? std::nullopt : std::optional<T>(decode(inner));
}

}  // namespace

bus::VariantMap decode_map(const bus::VariantMap& map, const std::string& key) {
    bus::VariantMap out;
    read(map, key.c_str(), out);
    return out;
}

Deployment decode_deployment(const bus::VariantMap& map) {
    Deployment out;
    read(map, "digest", out.digest);
    read(map, "version", out.version);
    read(map, "title", out.title);
    read(map, "uki", out.uki);
    read(map, "state", out.state);
    read(map, "image", out.image);
    read(map, "manifest-digest", out.manifest_digest);
    read(map, "installed", out.installed);
    read(map, "next", out.next);
    read(map, "problem", out.problem);
    read(map, "proven", out.proven);
    read(map, "locked", out.locked);
    read(map, "for-anyone", out.for_anyone);
    read(map, "pinned", out.pinned);
    read(map, "trial", out.trial);
    return out;
}

Fallback decode_fallback(const bus::VariantMap& map) {
    Fallback out;
    read(map, "version", out.version);
    read(map, "digest", out.digest);
    read(map, "stem", out.stem);
    read(map, "reason", out.reason);
    read(map, "time", out.time);
    return out;
}

HeldVersion decode_held(const bus::VariantMap& map) {
    HeldVersion out;
    read(map, "digest", out.digest);
    read(map, "version", out.version);
    read(map, "reason", out.reason);
    return out;
}

Available decode_available(const bus::VariantMap& map) {
    Available out;
    read(map, "image", out.image);
    read(map, "version", out.version);
    read(map, "manifest-digest", out.manifest_digest);
    read(map, "digest", out.digest);
    read(map, "download-bytes", out.download_bytes);
    read(map, "reused-bytes", out.reused_bytes);
    if (map.count("unpacked-bytes") != 0) read(map, "unpacked-bytes", out.unpacked_bytes.emplace());
    read(map, "checked", out.checked);
    read(map, "changelog-url", out.changelog_url);
    read(map, "appstream-url", out.appstream_url);
    return out;
}

Failure decode_failure(const bus::VariantMap& map) {
    Failure out;
    read(map, "name", out.name);
    read(map, "message", out.message);
    read(map, "hint", out.hint);
    read(map, "details", out.details);
    read(map, "time", out.time);
    return out;
}

Status decode_status(const bus::VariantMap& properties) {
    Status out;
    read(properties, "Version", out.daemon_version);
    read(properties, "State", out.state);
    read(properties, "Image", out.image);
    out.booted = decode_optional<Deployment>(properties, "Booted", decode_deployment);
    out.staged = decode_optional<Deployment>(properties, "Staged", decode_deployment);
    out.rollback = decode_optional<Deployment>(properties, "Rollback", decode_deployment);
    std::vector<bus::VariantMap> deployments;
    read(properties, "Deployments", deployments);
    for (const bus::VariantMap& each : deployments) {
        out.deployments.push_back(decode_deployment(each));
    }
    out.fallback = decode_optional<Fallback>(properties, "Fallback", decode_fallback);
    std::vector<bus::VariantMap> held;
    read(properties, "Held", held);
    for (const bus::VariantMap& each : held)
        out.held.push_back(decode_held(each));
    out.available = decode_optional<Available>(properties, "Available", decode_available);
    out.last_error = decode_optional<Failure>(properties, "LastError", decode_failure);
    read(properties, "RebootPending", out.reboot_pending);
    if (properties.contains("SoftRebootProblem"))
        read(properties, "SoftRebootProblem", out.soft_reboot_problem.emplace());
    read(properties, "Verity", out.verity);
    read(properties, "Warnings", out.warnings);
    std::vector<sdbus::Struct<std::string, std::string>> blockers;
    read(properties, "Blockers", blockers);
    for (const auto& each : blockers)
        out.blockers.push_back({each.get<0>(), each.get<1>()});
    return out;
}

HistoryEntry decode_history(const bus::VariantMap& map) {
    HistoryEntry out;
    read(map, "kind", out.kind);
    read(map, "result", out.result);
    read(map, "time", out.time);
    read(map, "first", out.first);
    read(map, "times", out.times);
    read(map, "from-version", out.from.version);
    read(map, "from-digest", out.from.digest);
    read(map, "to-version", out.to.version);
    read(map, "to-digest", out.to.digest);
    read(map, "error", out.error);
    read(map, "message", out.message);
    read(map, "fetched-bytes", out.fetched_bytes);
    read(map, "reused-bytes", out.reused_bytes);
    read(map, "duration-ms", out.duration_ms);
    read(map, "initiator", out.initiator);
    read(map, "uid", out.uid);
    return out;
}

CheckOutcome decode_check(const bus::VariantMap& result) {
    CheckOutcome out;
    read(result, "update-available", out.update_available);
    out.available = decode_available(result);
    return out;
}

UpdateOutcome decode_update(const bus::VariantMap& result) {
    UpdateOutcome out;
    read(result, "outcome", out.outcome);
    out.deployment = decode_deployment(result);
    read(result, "fetched-bytes", out.fetched_bytes);
    read(result, "reused-bytes", out.reused_bytes);
    read(result, "etc-changes", out.etc_changes);
    read(result, "etc-conflicts", out.etc_conflicts);
    return out;
}

CollectOutcome decode_collect(const bus::VariantMap& result) {
    CollectOutcome out;
    read(result, "dry-run", out.dry_run);
    read(result, "deployments", out.deployments);
    read(result, "items", out.items);
    read(result, "items-omitted", out.items_omitted);
    read(result, "objects", out.objects);
    read(result, "bytes", out.bytes);
    read(result, "warnings", out.warnings);
    return out;
}

PinOutcome decode_pin(const bus::VariantMap& result) {
    PinOutcome out;
    read(result, "changed", out.changed);
    out.deployment = decode_deployment(result);
    return out;
}

VerifyOutcome decode_verify(const bus::VariantMap& result) {
    VerifyOutcome out;
    read(result, "full", out.full);
    read(result, "deployments", out.deployments);
    read(result, "objects", out.objects);
    read(result, "streams", out.streams);
    read(result, "bytes", out.bytes);
    read(result, "missing", out.missing);
    read(result, "damaged", out.damaged);
    read(result, "unvouched", out.unvouched);
    read(result, "items", out.items);
    read(result, "items-omitted", out.items_omitted);
    read(result, "warnings", out.warnings);
    out.sound = out.missing == 0 && out.damaged == 0;
    return out;
}

RepairOutcome decode_repair(const bus::VariantMap& result) {
    RepairOutcome out;
    out.found = decode_verify(result);
    read(result, "repaired", out.repaired);
    read(result, "layers", out.layers);
    read(result, "fetched-bytes", out.fetched_bytes);
    return out;
}

EtcPreview decode_etc_preview(const bus::VariantMap& result) {
    using Maps = std::vector<std::map<std::string, std::string>>;
    const auto text = [](const std::map<std::string, std::string>& map, const char* key) {
        const auto found = map.find(key);
        return found == map.end() ? std::string() : found->second;
    };
    EtcPreview out;
    read(result, "deployment", out.deployment);
    read(result, "local-only", out.local_only);
    read(result, "omitted", out.omitted);
    Maps changes;
    read(result, "changes", changes);
    for (const auto& map : changes) {
        out.changes.push_back(
            {text(map, "path"), text(map, "kind"), text(map, "detail"), text(map, "lost")});
    }
    Maps conflicts;
    read(result, "conflicts", conflicts);
    for (const auto& map : conflicts) {
        out.conflicts.push_back({text(map, "path"),
                                 text(map, "kind"),
                                 text(map, "what"),
                                 text(map, "resolution"),
                                 text(map, "hint")});
    }
    return out;
}

EtcRestored decode_etc_restored(const bus::VariantMap& result) {
    EtcRestored out;
    read(result, "restored", out.restored);
    read(result, "path", out.path);
    read(result, "was", out.was);
    return out;
}

void merge_job(JobState& job, const bus::VariantMap& properties) {
    read(properties, "Id", job.id);
    read(properties, "Kind", job.kind);
    read(properties, "State", job.state);
    read(properties, "Stage", job.stage);
    read(properties, "Message", job.message);
    read(properties, "BytesDone", job.bytes_done);
    read(properties, "BytesTotal", job.bytes_total);
    read(properties, "BytesReused", job.bytes_reused);
    read(properties, "Rate", job.rate);
    read(properties, "Eta", job.eta);
    sdbus::Struct<std::uint32_t, std::string> initiator;
    if (properties.count("Initiator") == 0) return;
    read(properties, "Initiator", initiator);
    job.initiator_uid = initiator.get<0>();
}

}  // namespace cfs::client
