// SPDX-License-Identifier: Apache-2.0
#include "store/gc.hpp"

#include "base/crash_point.hpp"
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "base/stop.hpp"
#include "store/marks.hpp"
#include "store/parts.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <set>

namespace cfs::store {
namespace {

constexpr std::string_view kLinkLeftover = ".symlink-";
constexpr std::string_view kObjectLeftover = ".tmp-object-";

bool starts_with(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

class Sweeper {
 public:
    Sweeper(const RepositoryParts& parts, bool dry_run, const std::stop_token& stop)
        : parts_(parts), dry_run_(dry_run), stop_(stop) {}

    void take(Marks marks) {
        live_ = std::move(marks.live);
        report_.held_back = std::move(marks.incomplete);
        for (auto& text : marks.warnings)
            warn(std::move(text));
    }

    /// Links whose object will be gone, and then refs whose entry will be. Names of what stays.
    void prune(const std::string& kind, const LinkList& entries, std::uint64_t& count) {
        std::set<std::string> staying;
        for (const auto& path : entries.odd)
            warn(path + " is no link: left alone");
        for (const auto& link : entries.links) {
            const auto object = object_of_target(link.target, parts_.meta.algorithm);
            if (!object) warn(link.path + " leads to no object: left alone");
            if (!object || live_.count(*object) != 0) {
                staying.insert(link.name);
            } else if (remove(link.path)) {
                ++count;
            }
        }
        for (const auto& ref : list_ref_links(parts_, kind).links) {
            const bool stays = staying.count(entry_of_target(ref.target)) != 0;
            if (!stays && remove(ref.path)) ++count;
        }
    }

    void sweep_objects() {
        const FanOuts fan_outs = list_fan_outs(parts_);
        for (const auto& path : fan_outs.odd)
            warn(path + " is no directory: left alone");
        for (const auto& name : fan_outs.names)
            sweep_fan_out(name);
    }

    /// Safe under the exclusive lock: whoever made them is not writing now.
    void remove_leftovers() {
        for (const auto& name : list_dir(parts_.dir.get())) {
            const bool ours = starts_with(name, kLinkLeftover) &&
                              read_link_at(parts_.dir.get(), name).has_value();
            if (ours && remove(name)) ++report_.leftovers_removed;
        }
        for (const auto& name : list_dir(parts_.objects.get())) {
            if (!starts_with(name, kObjectLeftover)) continue;
            const auto st = stat_at(parts_.objects.get(), name);
            if (!st || !S_ISREG(st->st_mode)) continue;
            if (remove("objects/" + name)) ++report_.leftovers_removed;
        }
    }

    [[nodiscard]] GcReport& report() { return report_; }

 private:
    void warn(std::string text) { report_.warnings.push_back(std::move(text)); }

    bool remove(const std::string& path) {
        if (dry_run_) {
            report_.would_remove.push_back(path);
            return true;
        }
        return unlink_at(parts_.dir.get(), path);
    }

    void sweep_fan_out(const std::string& first) {
        const UniqueFd dir = open_dir_at(parts_.objects.get(), first);
        for (const auto& rest : list_dir(dir.get())) {
            check(stop_);
            sweep_one(dir.get(), first, rest);
        }
    }

    void sweep_one(int dir, const std::string& first, const std::string& rest) {
        const std::string path = "objects/" + first + "/" + rest;
        const auto digest = digest_from_parts(first, rest, parts_.meta.algorithm);
        const auto st = stat_at(dir, rest);
        if (!st) return;
        if (!digest || !S_ISREG(st->st_mode)) {
            warn(printable(path, 300) + " is no object: left alone");
        } else if (live_.count(*digest) != 0) {
            ++report_.objects_kept;
        } else if (remove(path)) {
            ++report_.objects_removed;
            report_.bytes_removed += static_cast<std::uint64_t>(st->st_size);
        }
    }

    const RepositoryParts& parts_;
    bool dry_run_;
    const std::stop_token& stop_;
    std::unordered_set<Digest> live_;
    GcReport report_;
};

void require_lock(const Repository& repository, const ExclusiveLock& lock) {
    if (lock.covers(repository.dir_fd())) return;
    throw Error(ErrorCode::Internal,
                "collecting garbage in '" + repository.path() + "' under another store's lock");
}

}  // namespace

GcReport collect_garbage(Repository& repository,
                         const ExclusiveLock& lock,
                         const std::vector<std::string>& extra_roots,
                         const ImageObjects& image_objects,
                         bool dry_run,
                         const std::stop_token& stop,
                         const std::set<std::string>& gone_refs) {
    require_lock(repository, lock);
    const RepositoryParts& parts = parts_of(repository);
    if (!dry_run) require_writable(parts);
    const LinkList images = list_entry_links(parts, "images");
    const LinkList streams = list_entry_links(parts, "streams");
    Sweeper sweeper(parts, dry_run, stop);
    sweeper.take(
        mark_live(repository, images, streams, extra_roots, image_objects, stop, gone_refs));
    GcReport& report = sweeper.report();
    sweeper.remove_leftovers();
    if (report.held_back.empty()) {
        sweeper.prune("images", images, report.images_pruned);
        sweeper.prune("streams", streams, report.streams_pruned);
        crash_point("store.gc-links-pruned");
        sweeper.sweep_objects();
        crash_point("store.gc-objects-removed");
    }
    std::sort(report.would_remove.begin(), report.would_remove.end());
    return std::move(report);
}

}  // namespace cfs::store
