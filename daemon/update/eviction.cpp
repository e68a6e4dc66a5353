// SPDX-License-Identifier: Apache-2.0
#include "update/eviction.hpp"

#include "base/error.hpp"
#include "update/collection.hpp"
#include "update/selection.hpp"

#include <algorithm>

namespace cfs::update {
namespace {

bool contains(const std::vector<DeploymentRecord>& records, const DeploymentRecord& record) {
    return std::any_of(records.begin(), records.end(), [&](const auto& other) {
        return other.stem == record.stem;
    });
}

/// Why it does not go, whatever is missing; empty if it may.
std::string why_it_stays(const Overview& all, const DeploymentRecord& record) {
    if (&record == all.booted) return "it runs";
    if (&record == all.pending || describe(all, record).next) return "it starts next";
    if (record.pinned) return "it is pinned";
    const bool booted_is_proven = all.booted != nullptr && is_proven(all, *all.booted);
    if (&record == all.proven && !booted_is_proven) return "no other one is proven";
    return {};
}

/// \throws what `require_room` throws, EspFull apart
template <typename F>
bool fits(F&& require_room) {
    try {
        require_room();
        return true;
    } catch (const Error& e) {
        if (e.code() != ErrorCode::EspFull) throw;
        return false;
    }
}

/// For whoever has to decide what else goes.
std::string explain(const Overview& all,
                    const std::vector<DeploymentRecord>& gone,
                    const std::optional<Digest>& image) {
    std::string out;
    for (const auto& record : all.records) {
        std::string why = why_it_stays(all, record);
        if (why.empty() && record.image == image) why = "it shares its /etc with the new one";
        if (why.empty())
            why = contains(gone, record) ? "would go, and is not enough"
                                         : "has no UKI where new ones go";
        out += "version " + printable(display_name(record)) + ": " + why + "\n";
    }
    return out;
}

}  // namespace

std::vector<DeploymentRecord> evictable(const Overview& all, unsigned keep) {
    // While nobody knows which one runs, each could be it.
    if (all.booted == nullptr) return {};
    std::vector<DeploymentRecord> out = surplus(all, keep);
    for (auto record = all.records.rbegin(); record != all.records.rend(); ++record) {
        if (contains(out, *record) || !why_it_stays(all, *record).empty()) continue;
        out.push_back(*record);
    }
    return out;
}

std::uint64_t esp_bytes(const Overview& all, const std::vector<DeploymentRecord>& records) {
    std::uint64_t sum = 0;
    for (const auto& entry : all.entries) {
        const bool own = std::any_of(records.begin(), records.end(), [&](const auto& record) {
            return boot::same_name(entry.name.stem, record.stem);
        });
        if (own && entry.where_new_go) sum += entry.size;
    }
    return sum;
}

std::vector<DeploymentRecord> choose_evicted(Machine& machine,
                                             const Overview& all,
                                             std::uint64_t uki,
                                             std::uint64_t replaced,
                                             const std::optional<Digest>& image) {
    std::vector<DeploymentRecord> chosen;
    const auto require_room = [&] {
        machine.boot().check_space({.uki = uki,
                                    .reserve = machine.settings.boot.esp_reserve,
                                    .replaced = replaced + esp_bytes(all, chosen)});
    };
    for (const auto& record : evictable(all, machine.settings.update.keep)) {
        if (record.image == image || esp_bytes(all, {record}) == 0) continue;
        if (fits(require_room)) return chosen;
        chosen.push_back(record);
    }
    try {
        require_room();
    } catch (Error& e) {
        if (e.code() == ErrorCode::EspFull) e.set_details(explain(all, chosen, image));
        throw;
    }
    return chosen;
}

}  // namespace cfs::update
