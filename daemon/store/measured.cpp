// SPDX-License-Identifier: Apache-2.0
#include "store/measured.hpp"

namespace cfs::store {
namespace {

std::pair<time_t, long> pair_of(const struct timespec& time) {
    return {time.tv_sec, time.tv_nsec};
}

/// Inode times tick with the kernel's timer: two writes within one tick look the same.
bool could_hide_a_write(const struct timespec& mtime, const struct timespec& hashed_at) {
    constexpr double kTick = 0.05;
    const double age = static_cast<double>(hashed_at.tv_sec - mtime.tv_sec) +
                       1e-9 * static_cast<double>(hashed_at.tv_nsec - mtime.tv_nsec);
    return age < kTick;
}

}  // namespace

std::optional<Digest> MeasuredFiles::find(const struct stat& file) const {
    const std::lock_guard guard(mutex_);
    const auto found = facts_.find({file.st_dev, file.st_ino});
    if (found == facts_.end()) return std::nullopt;
    const Fact& fact = found->second;
    const bool same = fact.size == file.st_size && fact.mtime == pair_of(file.st_mtim) &&
                      fact.ctime == pair_of(file.st_ctim);
    return same ? std::optional(fact.digest) : std::nullopt;
}

void MeasuredFiles::remember(const struct stat& file,
                             const Digest& digest,
                             const struct timespec& hashed_at) {
    if (could_hide_a_write(file.st_mtim, hashed_at)) return;
    const std::lock_guard guard(mutex_);
    facts_.insert_or_assign(
        {file.st_dev, file.st_ino},
        Fact{file.st_size, pair_of(file.st_mtim), pair_of(file.st_ctim), digest});
}

}  // namespace cfs::store
