// SPDX-License-Identifier: Apache-2.0
#include "update/room.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "base/log.hpp"
#include "update/collection.hpp"
#include "update/deploy.hpp"
#include "update/eviction.hpp"
#include "update/recorded.hpp"
#include "update/selection.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <utility>

namespace cfs::update {
namespace {

/// The new one's, and while it is merged the running one's and the result.
constexpr std::uint64_t kEtcCopies = 3;
constexpr std::uint64_t kBlock = 512;
/// Records, links, directories.
constexpr std::uint64_t kSmallThings = std::uint64_t{64} << 10;

/// What the files of a tree take of the disk.
std::uint64_t tree_bytes(int dir) {
    std::uint64_t sum = 0;
    for (const std::string& name : list_dir(dir)) {
        const auto st = stat_at(dir, name);
        if (!st) continue;
        sum += static_cast<std::uint64_t>(st->st_blocks) * kBlock;
        if (!S_ISDIR(st->st_mode)) continue;
        if (const auto sub = find_at(dir, name, O_RDONLY | O_DIRECTORY))
            sum += tree_bytes(sub->get());
    }
    return sum;
}

std::uint64_t etc_bytes(const Machine& machine, const DeploymentRecord& booted) {
    const auto etc =
        find_at(machine.sysroot.get(), state_path(booted.image) + "/etc", O_RDONLY | O_DIRECTORY);
    return etc ? kEtcCopies * tree_bytes(etc->get()) : 0;
}

/// The next image is about as large.
std::uint64_t image_bytes(Machine& machine, const DeploymentRecord& booted) {
    try {
        return file_size(machine.store().open_object(booted.image).get());
    } catch (const Error&) {  // it only helps to guess, and verify is there for damage
        return 0;
    }
}

bool is_same_file_system(int one, int other) {
    struct stat a {};
    struct stat b {};
    return ::fstat(one, &a) == 0 && ::fstat(other, &b) == 0 && a.st_dev == b.st_dev;
}

}  // namespace

DiskRoom::DiskRoom(Machine& machine,
                   Pull& pull,
                   const DeploymentRecord& booted,
                   std::optional<store::SharedLock>& lock,
                   ProgressSink& progress,
                   const std::stop_token& stop)
    : machine_(machine),
      pull_(pull),
      booted_(booted),
      lock_(lock),
      progress_(progress),
      stop_(stop),
      state_bytes_(etc_bytes(machine, booted)),
      image_bytes_(image_bytes(machine, booted)) {}

DiskNeed DiskRoom::need() {
    std::uint64_t besides = image_bytes_ + kSmallThings;
    if (is_same_file_system(machine_.store().dir_fd(), machine_.state.fd()))
        besides += state_bytes_;
    return {pull_.open_bytes() + besides, pull_.most_bytes() + besides};
}

std::uint64_t DiskRoom::available() {
    const std::uint64_t free = free_space(machine_.store().dir_fd()).available;
    const std::uint64_t kept = store_limits(machine_).keep_free;
    return free > kept ? free - kept : 0;
}

template <typename F>
void DiskRoom::unlocked(F&& change) {
    lock_.reset();
    try {
        std::forward<F>(change)();
    } catch (const Error& e) {
        // Somebody reads the store: it may fit all the same.
        if (e.code() != ErrorCode::Busy) throw;
        log::warn(std::string("no room is made now: ") + e.what());
    }
    lock_.emplace(machine_.store().lock_shared(machine_.settings.store.lock_timeout, stop_));
    pull_.look_again();
}

void DiskRoom::collect() {
    Overview all;
    take_overview(machine_, all);
    if (!all.problems.empty()) return;  // as a collection: what cannot be read may be needed
    progress_.message("the disk is short of room: what nobody needs goes");
    for (const auto& record : surplus(all, machine_.settings.update.keep)) {
        drop_deployment(machine_, record);
        note_dropped(machine_, record);
    }
    CollectResult result;
    unlocked([&] { free_store(machine_, {}, pull_.layer_names(), false, result, stop_); });
}

std::uint64_t DiskRoom::could_bring() {
    Overview all;
    take_overview(machine_, all);
    if (!all.problems.empty()) return 0;
    CollectResult result;
    const auto leaving = evictable(all, machine_.settings.update.keep);
    unlocked([&] { free_store(machine_, leaving, pull_.layer_names(), true, result, stop_); });
    return result.bytes;
}

/// Where the state has a file system of its own nothing is dropped for it: what a version's /etc
/// takes is little, and what fills such a disk is not ours.
void DiskRoom::require_state() const {
    const int state = machine_.state.fd();
    if (is_same_file_system(machine_.store().dir_fd(), state)) return;
    const std::uint64_t needed = state_bytes_ + kSmallThings;
    const std::uint64_t free = free_space(state).available;
    if (free >= needed) return;
    throw Error(ErrorCode::NoSpace,
                "/etc of a new version needs " + std::to_string(needed) + " bytes where '" +
                    machine_.settings.sysroot + "/state' lies, and " + std::to_string(free) +
                    " are free",
                "free space on that file system, or let a version go: 'cfsctl remove'");
}

void DiskRoom::plan() {
    require_state();
    if (available() >= need().most) return;
    collect();
    const DiskNeed needed = need();
    if (available() >= needed.least) return;
    const std::uint64_t more = could_bring();
    if (available() + more >= needed.least) return;
    throw Error(ErrorCode::NoSpace,
                "the image needs at least " + std::to_string(needed.least) +
                    " bytes where the store '" + machine_.store().path() + "' lies, and " +
                    std::to_string(available()) + " may be taken (store.reserve stays free); " +
                    "letting older versions go would bring " + std::to_string(more),
                "free space there, or let a version go: 'cfsctl unpin', 'cfsctl remove'");
}

bool DiskRoom::make_more(const Digest& image) {
    Overview all;
    take_overview(machine_, all);
    if (!all.problems.empty()) return false;
    for (const auto& record : evictable(all, machine_.settings.update.keep)) {
        if (record.image == image) continue;
        if (!std::exchange(rehearsed_, true)) pull_.rehearse(&booted_);
        progress_.message("dropping version " + display_name(record) +
                          ": the disk has no room for one more");
        drop_deployment(machine_, record);
        note_dropped(machine_, record);
        CollectResult result;
        unlocked([&] { free_store(machine_, {}, pull_.layer_names(), false, result, stop_); });
        return true;
    }
    return false;
}

void DiskRoom::make(const Digest& image) {
    while (available() < need().least && make_more(image)) {
    }
}

}  // namespace cfs::update
