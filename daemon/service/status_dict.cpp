// SPDX-License-Identifier: Apache-2.0
#include "service/status_dict.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace cfs::service {
namespace {

std::string outcome_name(update::UpdateOutcome outcome) {
    switch (outcome) {
        case update::UpdateOutcome::NothingToDo:
            return "nothing-to-do";
        case update::UpdateOutcome::Staged:
            return "staged";
        case update::UpdateOutcome::Finalized:
            return "finalized";
    }
    return "";
}

/// Programs open it, and people: it came from a registry, and nobody signed it.
bool is_web_address(const std::string& text) {
    constexpr std::string_view kScheme = "https://";
    return text.starts_with(kScheme) && text.size() > kScheme.size() &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return c > ' ' && c < '\x7f' &&
                      std::string_view("\"'<>\\^`{|}").find(c) == std::string_view::npos;
           });
}

/// Whose change of a path the merge leaves out.
std::string lost_side(const etc::Change& change) {
    if (change.local_dropped) return "local";
    return change.vendor_withheld ? "vendor" : "";
}

std::size_t bytes_of(const std::string& text) {
    return text.size() + 8;
}

std::size_t bytes_of(const std::map<std::string, std::string>& map) {
    std::size_t bytes = 8;
    for (const auto& [key, text] : map)
        bytes += bytes_of(key) + bytes_of(text);
    return bytes;
}

/// How many of the list's first elements are `most` bytes.
template <typename T>
std::size_t fitting(const std::vector<T>& list, std::size_t most) {
    std::size_t bytes = 0;
    std::size_t count = 0;
    for (const T& element : list) {
        bytes += bytes_of(element);
        if (bytes > most) break;
        ++count;
    }
    return count;
}

void put_items(Dict& dict, const StringList& items) {
    const std::size_t shown = std::min(items.size(), kMaxItems);
    const auto cut = items.begin() + static_cast<std::ptrdiff_t>(shown);
    dict["items"] = StringList(items.begin(), cut);
    dict["items-omitted"] = std::uint64_t{items.size() - shown};
}

}  // namespace

void bound_lists(Dict& dict, std::size_t most) {
    for (auto& [key, value] : dict) {
        const auto cut = [&, &name = key](auto& list) -> std::size_t {
            const std::size_t count = fitting(list, most);
            const std::size_t dropped = list.size() - count;
            list.erase(list.begin() + static_cast<std::ptrdiff_t>(count), list.end());
            const auto counter = dict.find(name == "items" ? "items-omitted" : "omitted");
            if (dropped == 0 || counter == dict.end()) return dropped;
            std::get<std::uint64_t>(counter->second) += dropped;
            return 0;
        };
        if (auto* maps = std::get_if<StringMaps>(&value)) static_cast<void>(cut(*maps));
        auto* lines = std::get_if<StringList>(&value);
        const std::size_t unsaid = lines == nullptr ? 0 : cut(*lines);
        if (unsaid != 0) lines->push_back("... and " + std::to_string(unsaid) + " more");
    }
}

std::size_t bytes_of(const Dict& dict) {
    std::size_t bytes = 0;
    for (const auto& [key, value] : dict) {
        bytes += bytes_of(key) + 16;
        if (const auto* text = std::get_if<std::string>(&value)) bytes += text->size();
        if (const auto* lines = std::get_if<StringList>(&value)) {
            for (const std::string& line : *lines)
                bytes += bytes_of(line);
        }
        if (const auto* maps = std::get_if<StringMaps>(&value)) {
            for (const auto& map : *maps)
                bytes += bytes_of(map);
        }
    }
    return bytes;
}

Dict to_dict(const update::DeploymentInfo& deployment) {
    return {{"digest", deployment.digest},
            {"version", deployment.version},
            {"title", deployment.title},
            {"uki", deployment.uki},
            {"state", std::string(to_string(deployment.state))},
            {"image", deployment.image},
            {"manifest-digest", deployment.manifest_digest},
            {"installed", deployment.installed},
            {"next", deployment.next},
            {"problem", deployment.problem},
            {"proven", deployment.proven},
            {"locked", deployment.locked},
            {"for-anyone", deployment.for_anyone},
            {"pinned", deployment.pinned},
            {"trial", deployment.trial}};
}

Dict to_dict(const update::Fallback& fallback) {
    return {{"version", fallback.version},
            {"digest", fallback.digest},
            {"stem", fallback.stem},
            {"reason", fallback.reason},
            {"time", fallback.time}};
}

Dict to_dict(const update::HeldVersion& held) {
    return {{"digest", held.digest}, {"version", held.version}, {"reason", held.reason}};
}

Dict to_dict(const update::Available& available) {
    const auto& notes = available.annotations;
    Dict dict = {{"image", available.image},
                 {"version", available.version},
                 {"manifest-digest", available.manifest_digest},
                 {"digest", available.digest},
                 {"download-bytes", available.download_bytes},
                 {"reused-bytes", available.reused_bytes},
                 {"checked", available.checked}};
    if (available.unpacked_bytes) dict["unpacked-bytes"] = *available.unpacked_bytes;
    for (const auto& [key, name] : {std::pair("changelog-url", "org.cfsupdate1.changelog"),
                                    std::pair("appstream-url", "org.cfsupdate1.appstream")}) {
        const auto found = notes.find(name);
        if (found != notes.end() && is_web_address(found->second)) dict[key] = found->second;
    }
    return dict;
}

Dict to_dict(const update::LastError& error) {
    return {{"name", error.name},
            {"message", error.message},
            {"hint", error.hint},
            {"details", error.details},
            {"time", error.time}};
}

Dict to_dict(const update::HistoryEntry& entry) {
    return {{"kind", entry.kind},
            {"result", entry.result},
            {"time", entry.time},
            {"first", entry.first},
            {"times", entry.times},
            {"from-version", entry.from.version},
            {"from-digest", entry.from.digest},
            {"to-version", entry.to.version},
            {"to-digest", entry.to.digest},
            {"error", entry.error},
            {"message", entry.message},
            {"fetched-bytes", entry.fetched},
            {"reused-bytes", entry.reused},
            {"duration-ms", entry.duration},
            {"initiator", entry.initiator.kind},
            {"uid", std::uint64_t{entry.initiator.uid}}};
}

Dict to_dict(const update::CheckResult& result) {
    Dict dict = to_dict(result.available);
    dict["update-available"] = result.update_available;
    return dict;
}

Dict to_dict(const update::UpdateResult& result) {
    Dict dict = to_dict(result.deployment);
    dict["outcome"] = outcome_name(result.outcome);
    dict["fetched-bytes"] = result.fetched_bytes;
    dict["reused-bytes"] = result.reused_bytes;
    dict["etc-changes"] = result.etc_changes;
    dict["etc-conflicts"] = result.etc_conflicts;
    return dict;
}

Dict to_dict(const update::CollectResult& result, bool dry_run) {
    Dict dict = {{"dry-run", dry_run},
                 {"deployments", result.deployments},
                 {"objects", result.objects},
                 {"bytes", result.bytes},
                 {"warnings", result.warnings}};
    put_items(dict, result.items);
    return dict;
}

Dict to_dict(const update::PinResult& result) {
    Dict dict = to_dict(result.deployment);
    dict["changed"] = result.changed;
    return dict;
}

Dict to_dict(const update::VerifyResult& result) {
    Dict dict = {{"full", result.full},
                 {"sound", result.sound()},
                 {"deployments", result.deployments},
                 {"objects", result.objects},
                 {"streams", result.streams},
                 {"bytes", result.bytes},
                 {"missing", result.missing},
                 {"damaged", result.damaged},
                 {"unvouched", result.unvouched},
                 {"warnings", result.warnings}};
    put_items(dict, result.items);
    return dict;
}

Dict to_dict(const update::RepairResult& result) {
    Dict dict = to_dict(result.found);
    dict.erase("sound");
    dict["repaired"] = result.repaired;
    dict["layers"] = result.layers;
    dict["fetched-bytes"] = result.fetched_bytes;
    return dict;
}

Dict to_dict(const update::EtcPreview& preview) {
    StringMaps changes;
    for (const etc::Change& change : preview.changes) {
        if (changes.size() == kMaxItems) break;
        changes.push_back({{"path", change.path},
                           {"kind", std::string(etc::to_string(change.kind))},
                           {"detail", change.detail},
                           {"lost", lost_side(change)}});
    }
    StringMaps conflicts;
    for (const etc::Conflict& conflict : preview.conflicts) {
        if (conflicts.size() == kMaxItems) break;
        conflicts.push_back({{"path", conflict.path},
                             {"kind", std::string(etc::to_string(conflict.kind))},
                             {"what", conflict.what},
                             {"resolution", conflict.resolution},
                             {"hint", conflict.hint}});
    }
    const std::uint64_t omitted =
        preview.changes.size() - changes.size() + (preview.conflicts.size() - conflicts.size());
    return {{"deployment", preview.deployment},
            {"local-only", preview.local_only},
            {"changes", std::move(changes)},
            {"conflicts", std::move(conflicts)},
            {"omitted", omitted}};
}

Dict to_dict(const update::EtcRestored& restored) {
    return {{"restored", restored.done}, {"path", restored.path}, {"was", restored.was}};
}

Dict to_dict(const Error& error) {
    return {{"name", std::string(to_string(error.code()))},
            {"message", std::string(error.what())},
            {"hint", error.hint()},
            {"details", error.details()}};
}

}  // namespace cfs::service
