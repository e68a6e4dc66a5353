// SPDX-License-Identifier: Apache-2.0
/// \file Mark and sweep, by the rules that composefs-rs uses, so that either tool keeps what the
/// other one's refs reach.
///
/// Roots: every link below images/refs/ and streams/refs/, and the extra roots. A stream keeps its
/// object, its external objects and everything it refers to by name; an image keeps its object and
/// every object the EROFS names.
///
/// Unlike there, an odd name or a ref to nothing is a warning and stops nothing. The one thing that
/// holds the sweep back is a stream or an image with a root that is there and cannot be read: what
/// it needs is unknown, and that may be the system that is running.
#pragma once

#include "base/bytes.hpp"
#include "crypto/digest.hpp"
#include "store/repository.hpp"

#include <cstdint>
#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace cfs::store {

/// The objects that an EROFS image names. Given by the caller: the store does not know EROFS.
using ImageObjects = std::function<std::vector<Digest>(ByteView erofs)>;

struct GcReport {
    std::uint64_t objects_removed = 0;  ///< in a dry run: would be
    std::uint64_t bytes_removed = 0;    ///< their sizes
    std::uint64_t images_pruned = 0;    ///< links in images/ and images/refs/
    std::uint64_t streams_pruned = 0;   ///< links in streams/ and streams/refs/
    std::uint64_t objects_kept = 0;
    std::uint64_t leftovers_removed = 0;  ///< temporary names of crashed writers
    std::vector<std::string> warnings;
    std::vector<std::string> would_remove;  ///< dry run only: paths below the repository, sorted
    std::string held_back;                  ///< why no object was removed; normally empty
};

/// Removes what no root reaches, links first, so that a crash leaves garbage and never a link to
/// nothing. The marks are computed here, that is, after `lock` was taken.
/// \param extra_roots names in images/ or streams/ (an image's hex digest, a stream's name)
/// \param stop checked between entries; Cancelled leaves a sound store
/// \param gone_refs paths like "images/refs/x" that are treated as removed already: what a dry run
///        needs to tell the truth about refs that the real run would drop first
[[nodiscard]] GcReport collect_garbage(Repository& repository,
                                       const ExclusiveLock& lock,
                                       const std::vector<std::string>& extra_roots,
                                       const ImageObjects& image_objects,
                                       bool dry_run,
                                       const std::stop_token& stop = {},
                                       const std::set<std::string>& gone_refs = {});

}  // namespace cfs::store
