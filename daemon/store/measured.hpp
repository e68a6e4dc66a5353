// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/digest.hpp"

#include <sys/stat.h>

#include <ctime>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace cfs::store {

/// What files without fs-verity were found to hash to, so that each is read once per process. An
/// answer counts while inode, size and both times are the same. A file written so shortly before it
/// was hashed that a later write could leave the same times is not remembered; new objects get the
/// epoch as their mtime, so that any later write shows. In memory only: a crash forgets.
/// Thread-safe.
class MeasuredFiles {
 public:
    [[nodiscard]] std::optional<Digest> find(const struct stat& file) const;

    /// \param hashed_at real time before the file was read
    void remember(const struct stat& file, const Digest& digest, const struct timespec& hashed_at);

 private:
    struct Fact {
        off_t size;
        std::pair<time_t, long> mtime;
        std::pair<time_t, long> ctime;
        Digest digest;
    };

    mutable std::mutex mutex_;
    std::map<std::pair<dev_t, ino_t>, Fact> facts_;
};

}  // namespace cfs::store
