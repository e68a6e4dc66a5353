// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.hpp"
#include "crypto/digest.hpp"

#include <string>

namespace cfs::client {

/// A directory of objects, "xx/yyyy..." by fs-verity digest, as an overlay's data layer takes it.
/// Thread-safe.
class ObjectDir {
 public:
    /// Makes the directory unless it is there; its parent must be.
    ObjectDir(std::string path, HashAlgorithm algorithm);

    [[nodiscard]] bool has(const Digest& digest) const;

    /// Copies the whole file unless the object is there; shares its blocks where the file system
    /// can. fs-verity is enabled where it can be. Busy when the file no longer has the digest.
    void put(int file, const Digest& digest) const;

    /// What was put survives a crash afterwards.
    void sync() const;

 private:
    std::string path_;
    HashAlgorithm algorithm_;
    UniqueFd dir_;
};

}  // namespace cfs::client
