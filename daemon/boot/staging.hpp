// SPDX-License-Identifier: Apache-2.0
/// \file Copying a file onto a medium that nobody trusts, and looking whether it arrived.
#pragma once

#include "base/unique_fd.hpp"
#include "crypto/digest.hpp"

#include <cstdint>
#include <string>

namespace cfs::boot {

/// A file that is being made: removed again, best effort, unless keep() was called.
class PendingFile {
 public:
    /// Creates `name` (which must not exist) in `dir`; `dir` must outlive this object.
    PendingFile(int dir, std::string name);
    PendingFile(const PendingFile&) = delete;
    PendingFile& operator=(const PendingFile&) = delete;
    ~PendingFile();

    [[nodiscard]] int fd() const { return fd_.get(); }

    /// Closes the file and lets it stay.
    void keep();

 private:
    int dir_;
    std::string name_;
    UniqueFd fd_;
    bool kept_ = false;
};

struct CopyResult {
    Digest digest;
    std::uint64_t size = 0;
};

/// Appends all of `from` (read from offset 0) to `to`, hashing what was read. Durable on return:
/// fsync and syncfs. NoSpace when `to` is on a full file system.
[[nodiscard]] CopyResult copy_durably(int from, int to, HashAlgorithm algorithm);

/// Hashes a file as the medium has it: clean cached pages are dropped, and reads bypass the cache
/// where the file system can. \pre written data was synced
[[nodiscard]] CopyResult hash_from_medium(int dir,
                                          const std::string& file,
                                          HashAlgorithm algorithm);

}  // namespace cfs::boot
