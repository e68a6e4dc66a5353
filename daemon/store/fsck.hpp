// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "store/gc.hpp"
#include "store/repository.hpp"

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::store {

enum class FindingKind {
    Meta,           ///< meta.json breaks its rules
    Object,         ///< content is not what the name says, or lacks fs-verity in a secure store
    Stray,          ///< a name that does not belong there (composefs-rs' collector stops at it)
    Stream,         ///< link in streams/, or the splitstream behind it
    Image,          ///< link in images/, or the image behind it
    Ref,            ///< link below refs/
    MissingObject,  ///< named by a stream or an image, and not there
};

/// "meta", "object", ... for reports; stable.
[[nodiscard]] std::string_view to_string(FindingKind kind);

struct Finding {
    FindingKind kind = FindingKind::Object;
    std::string path;     ///< below the repository
    std::string problem;  ///< what is wrong: expected and found

    auto operator<=>(const Finding&) const = default;
};

struct FsckReport {
    bool clean = true;              ///< no findings
    std::vector<Finding> findings;  ///< sorted by kind, path
    std::uint64_t objects_checked = 0;
    std::uint64_t bytes_checked = 0;  ///< read and hashed
    std::uint64_t streams_checked = 0;
    std::uint64_t images_checked = 0;
    std::uint64_t refs_checked = 0;
};

/// Checks meta.json, every object (content hashed anew, on all processors; in a secure repository
/// also measured), links, refs, splitstreams and what they and the images refer to. Changes
/// nothing. Hold a shared lock meanwhile.
/// \param metadata_only do not read the objects' content
[[nodiscard]] FsckReport fsck(Repository& repository,
                              const ImageObjects& image_objects,
                              bool metadata_only,
                              const std::stop_token& stop = {});

}  // namespace cfs::store
