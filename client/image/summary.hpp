// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/image/load.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace cfs::client {

/// An object that an image's files are made of.
struct ObjectInfo {
    std::optional<Digest> digest;  ///< none: the image says where the bytes are, not what they are
    std::uint64_t size = 0;
};

/// By path below the object directory, each object once.
[[nodiscard]] std::map<std::string, ObjectInfo> list_objects(const image::FileTree& tree);

/// Where a file's bytes are, below the object directory; "" for files without an object.
[[nodiscard]] std::string object_of(const image::Inode& leaf);

struct ImageSummary {
    image::ErofsVersion version = image::ErofsVersion::V1;
    HashAlgorithm hash = HashAlgorithm::Sha512;  ///< names the objects
    std::uint64_t size = 0;
    std::uint64_t blocks = 0;
    std::uint64_t inodes = 0;  ///< as the superblock says, whiteouts of the format included
    Digest sha256, sha512;     ///< fs-verity digests of the image
    std::array<std::uint64_t, 7> names{};  ///< by FileType, the root included
    std::uint64_t objects = 0;
    std::uint64_t object_bytes = 0;

    [[nodiscard]] std::uint64_t count(image::FileType type) const {
        return names[static_cast<std::size_t>(type)];
    }
};

[[nodiscard]] ImageSummary summarize(const LoadedImage& loaded);

}  // namespace cfs::client
