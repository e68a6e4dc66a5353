// SPDX-License-Identifier: Apache-2.0
#include "update/selection.hpp"

#include "base/error.hpp"

namespace cfs::update {
namespace {

constexpr std::size_t kLeastDigits = 8;

/// One that is being made or dropped has no things in the store that it could miss.
bool is_complete(const DeploymentRecord& record) {
    return record.phase != Phase::Staging && record.phase != Phase::Removing;
}

bool is_named(const Overview& all, const DeploymentRecord& record, std::string_view text) {
    if (text == "booted") return &record == all.booted;
    if (text == "staged") return &record == all.pending;
    if (text == "rollback") return &record == all.rollback;
    if (text.size() >= kLeastDigits && record.image.hex().starts_with(text)) return true;
    if (text == record.version || text == record.stem || text == to_oci(record.manifest)) {
        return true;
    }
    const auto entry = boot::parse_entry_name(std::string(text));
    return entry && boot::same_name(entry->stem, record.stem);
}

std::string names_of(const std::vector<const DeploymentRecord*>& records) {
    std::string out;
    for (const auto* record : records)
        out += (out.empty() ? "" : ", ") + display_name(*record);
    return out;
}

}  // namespace

std::string display_name(const DeploymentRecord& record) {
    return record.version + " (" + record.stem + ")";
}

std::vector<const DeploymentRecord*> select_deployments(const Overview& all,
                                                        std::string_view text) {
    std::vector<const DeploymentRecord*> complete, named;
    for (const auto& record : all.records) {
        if (!is_complete(record)) continue;
        complete.push_back(&record);
        if (text.empty() || is_named(all, record, text)) named.push_back(&record);
    }
    if (!named.empty()) return named;
    if (complete.empty()) {
        throw Error(ErrorCode::NotFound,
                    "there is no deployment",
                    "check the setting 'sysroot', or make a first deployment with "
                    "'cfsctl install'");
    }
    throw Error(ErrorCode::NotFound,
                "there is no deployment '" + printable(std::string(text)) + "'",
                "there are: " + names_of(complete));
}

}  // namespace cfs::update
