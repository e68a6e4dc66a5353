// SPDX-License-Identifier: Apache-2.0
/// \file Inside of the store: what an open repository consists of, shared by its source files.
#pragma once

#include "base/unique_fd.hpp"
#include "store/measured.hpp"
#include "store/meta.hpp"
#include "store/repository.hpp"
#include "store/temp_file.hpp"

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace cfs::store {

/// Thread-safe.
class DigestSet {
 public:
    [[nodiscard]] bool contains(const Digest& digest) const {
        const std::lock_guard guard(mutex_);
        return digests_.count(digest) != 0;
    }

    void add(const Digest& digest) {
        const std::lock_guard guard(mutex_);
        digests_.insert(digest);
    }

    void remove(const Digest& digest) {
        const std::lock_guard guard(mutex_);
        digests_.erase(digest);
    }

 private:
    mutable std::mutex mutex_;
    std::unordered_set<Digest> digests_;
};

struct RepositoryParts {
    std::string path;
    VerityPolicy policy = VerityPolicy::Require;
    UniqueFd dir;
    UniqueFd objects;
    Meta meta;
    bool secure = false;
    bool read_only_mount = false;
    /// Insecure repository under Try: false once the file system said no.
    std::atomic<bool> verity_worth_trying{true};
    MeasuredFiles measured;
    DigestSet distrusted;
};

/// Throws Unsupported or Io unless the repository may be changed.
void require_writable(const RepositoryParts& parts);

void require_algorithm_of(const RepositoryParts& parts, HashAlgorithm algorithm);

// objects.cpp

struct ExaminedObject {
    ObjectState state = ObjectState::Missing;
    UniqueFd fd;          ///< open when Sound
    std::string problem;  ///< of a damaged one
};

/// Opens and measures (see Repository::has_object).
[[nodiscard]] ExaminedObject examine_object(RepositoryParts& parts, const Digest& digest);

/// Gives the file, whose content has that digest, its name in the store.
void commit_object(RepositoryParts& parts, TempFile& file, const Digest& digest);

/// Of "XX" and the rest; nullopt unless lowercase and of that algorithm.
[[nodiscard]] std::optional<Digest> digest_from_parts(std::string_view first,
                                                      std::string_view rest,
                                                      HashAlgorithm algorithm);

/// The directories 00..ff that exist in objects/.
struct FanOuts {
    std::vector<std::string> names;
    std::vector<std::string> odd;  ///< paths of things of such a name that are no directory
};

[[nodiscard]] FanOuts list_fan_outs(const RepositoryParts& parts);

// links.cpp

/// A symbolic link below images/ or streams/.
struct Link {
    std::string path;    ///< below the repository
    std::string name;    ///< of the entry; of a ref: the path below refs/
    std::string target;  ///< as it stands in the link
};

struct LinkList {
    std::vector<Link> links;
    std::vector<std::string> odd;  ///< paths of what is no link and does not belong there
};

/// \param kind "images" or "streams"; a missing directory is an empty one
[[nodiscard]] LinkList list_entry_links(const RepositoryParts& parts, const std::string& kind);
[[nodiscard]] LinkList list_ref_links(const RepositoryParts& parts, const std::string& kind);

/// The object of an entry's target "../objects/XX/<rest>"; nullopt when it is something else.
[[nodiscard]] std::optional<Digest> object_of_target(std::string_view target,
                                                     HashAlgorithm algorithm);

/// The entry that a ref's target ends in.
[[nodiscard]] std::string entry_of_target(const std::string& target);

/// What the link of `ref` to `entry` has to say: one "../" per level below images/ or streams/.
[[nodiscard]] std::string ref_target(const std::string& ref, const std::string& entry);

// repository.cpp

[[nodiscard]] RepositoryParts& parts_of(const Repository& repository);

}  // namespace cfs::store
