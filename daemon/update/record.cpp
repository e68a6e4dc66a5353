// SPDX-License-Identifier: Apache-2.0
#include "update/record.hpp"

#include "update/json.hpp"

#include <array>
#include <utility>

namespace cfs::update {
namespace {

constexpr std::array<std::pair<Phase, std::string_view>, 6> kPhases = {{
    {Phase::Staging, "staging"},
    {Phase::Staged, "staged"},
    {Phase::Finalizing, "finalizing"},
    {Phase::Armed, "armed"},
    {Phase::Booted, "booted"},
    {Phase::Removing, "removing"},
}};

std::optional<Phase> phase_from(std::string_view name) {
    for (const auto& [phase, text] : kPhases) {
        if (text == name) return phase;
    }
    return std::nullopt;
}

}  // namespace

std::string_view to_string(Phase phase) {
    for (const auto& [known, text] : kPhases) {
        if (known == phase) return text;
    }
    return "unknown";
}

std::string DeploymentRecord::to_json() const {
    const boost::json::object object = {
        {"schema", 1},
        {"stem", stem},
        {"serial", serial},
        {"phase", std::string(to_string(phase))},
        {"image", image.hex()},
        {"insecure", insecure},
        {"manifest", to_oci(manifest)},
        {"reference", reference},
        {"uki_object", uki_object.hex()},
        {"uki_sha256", uki_sha256.hex()},
        {"authenticode", authenticode.hex()},
        {"boot_digest", boot_digest},
        {"uki_size", uki_size},
        {"staged_file", staged_file},
        {"id", id},
        {"image_id", image_id},
        {"version", version},
        {"title", title},
        {"sort_key", sort_key},
        {"architecture", architecture},
        {"security_version", security_version},
        {"installed", installed},
        {"shared_state", shared_state},
        {"proven", proven},
        {"wanted", wanted},
        {"released_key", released_key},
        {"released_reason", released_reason},
        {"merged_inode", merged_inode},
        {"previous_etc", previous_etc},
        {"previous_inode", previous_inode},
        {"locked", locked},
        {"for_anyone", for_anyone},
        {"pinned", pinned},
        {"origin", origin},
        {"switched", switched},
        {"downgraded", downgraded},
        {"tried_once", tried_once},
        {"left", left},
    };
    return boost::json::serialize(object) + "\n";
}

std::optional<DeploymentRecord> DeploymentRecord::from_json(std::string_view text) {
    const auto object = parse_object(text);
    if (!object) return std::nullopt;
    const auto phase = phase_from(get_string(*object, "phase"));
    const auto image = Digest::from_hex(get_string(*object, "image"));
    const auto manifest = digest_from_oci(get_string(*object, "manifest"));
    if (!phase || !image || !manifest || get_string(*object, "stem").empty()) return std::nullopt;
    DeploymentRecord record;
    record.stem = get_string(*object, "stem");
    record.serial = get_number(*object, "serial");
    record.phase = *phase;
    record.image = *image;
    record.insecure = get_bool(*object, "insecure");
    record.manifest = *manifest;
    record.reference = get_string(*object, "reference");
    record.uki_object = Digest::from_hex(get_string(*object, "uki_object")).value_or(Digest());
    record.uki_sha256 = Digest::from_hex(get_string(*object, "uki_sha256")).value_or(Digest());
    record.authenticode = Digest::from_hex(get_string(*object, "authenticode")).value_or(Digest());
    record.boot_digest = get_string(*object, "boot_digest");
    record.uki_size = get_number(*object, "uki_size");
    record.staged_file = get_string(*object, "staged_file");
    record.id = get_string(*object, "id");
    record.image_id = get_string(*object, "image_id");
    record.version = get_string(*object, "version");
    record.title = get_string(*object, "title");
    record.sort_key = get_string(*object, "sort_key");
    record.architecture = get_string(*object, "architecture");
    record.security_version = get_number(*object, "security_version");
    record.installed = static_cast<std::int64_t>(get_number(*object, "installed"));
    record.shared_state = get_bool(*object, "shared_state");
    record.proven = get_bool(*object, "proven");
    record.wanted = get_bool(*object, "wanted");
    record.released_key = get_string(*object, "released_key");
    record.released_reason = get_string(*object, "released_reason");
    record.merged_inode = get_number(*object, "merged_inode");
    record.previous_etc = get_string(*object, "previous_etc");
    if (record.previous_etc.find('/') != std::string::npos) return std::nullopt;
    record.previous_inode = get_number(*object, "previous_inode");
    record.locked = get_bool(*object, "locked");
    record.for_anyone = get_bool(*object, "for_anyone");
    record.pinned = get_bool(*object, "pinned");
    record.origin = get_string(*object, "origin");
    record.switched = get_bool(*object, "switched");
    record.downgraded = get_bool(*object, "downgraded");
    record.tried_once = get_bool(*object, "tried_once");
    record.left = get_bool(*object, "left");
    return record;
}

const Digest& hold_key(const DeploymentRecord& record, const DeploymentRecord& kept) {
    return record.image == kept.image ? record.authenticode : record.image;
}

const std::string* find_hold(const std::map<std::string, std::string>& held,
                             const DeploymentRecord& record) {
    for (const Digest& key : {record.image, record.authenticode}) {
        const auto found = held.find(key.hex());
        if (found != held.end()) return &found->second;
    }
    return nullptr;
}

boot::StagedUki DeploymentRecord::staged_uki(unsigned tries) const {
    boot::StagedUki staged;
    staged.file = staged_file;
    staged.final_name.stem = stem;
    if (tries > 0) staged.final_name.counter = boot::Counter{tries, 0};
    staged.sha256 = uki_sha256;
    staged.size = uki_size;
    return staged;
}

}  // namespace cfs::update
