// SPDX-License-Identifier: Apache-2.0
/// \file Verbs that need no daemon: the client calls them in its own process.
#pragma once

#include "crypto/digest.hpp"
#include "image/erofs_writer.hpp"
#include "image/transform.hpp"
#include "settings/settings.hpp"
#include "update/engine.hpp"

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

namespace cfs::update {

struct DigestOptions {
    image::ErofsVersion version = image::ErofsVersion::V1;
    HashAlgorithm hash = HashAlgorithm::Sha512;
    bool bootable = false;
    image::BootMtime boot_mtime = image::BootMtime::Full;
    image::XattrMode xattrs = image::XattrMode::AllowlistOnly;
};

struct MeasuredImage {
    Digest digest;
    std::vector<std::uint64_t> unpacked;  ///< bytes of each layer's tar, lowest first
};

/// fs-verity digest of the image that `source` ("oci:DIR[:TAG]", "oci-archive:FILE",
/// "docker://HOST/NAME:TAG") makes. Needs no store: big files are hashed as they stream by. A layer
/// annotated as the UKI's is left out.
[[nodiscard]] MeasuredImage measure_image(const std::string& source,
                                          const DigestOptions& options,
                                          const settings::Settings& settings,
                                          ProgressSink& progress,
                                          const std::stop_token& stop);

/// The tree that measure_image() makes its image of; options.version plays no part.
[[nodiscard]] image::FileTree image_tree(const std::string& source,
                                         const DigestOptions& options,
                                         const settings::Settings& settings,
                                         ProgressSink& progress,
                                         const std::stop_token& stop);

/// Content of one regular file (no symbolic links on the way) of the merged image; NotFound without
/// it. \param path e.g. "usr/lib/os-release"
[[nodiscard]] std::string image_file(const std::string& source,
                                     const std::string& path,
                                     const settings::Settings& settings,
                                     const std::stop_token& stop);

/// The first deployment, onto directories that stand for /sysroot and the ESP: same gate, store,
/// image and verification as an update; an uncounted entry, since there is nothing to fall back to.
/// Refuses a sysroot or ESP that holds a deployment already. settings.sysroot and settings.esp say
/// where.
[[nodiscard]] UpdateResult install(const std::string& source,
                                   const settings::Settings& settings,
                                   ProgressSink& progress,
                                   const std::stop_token& stop,
                                   const Clock& clock = system_clock());

/// The annotation on the one layer of an image that holds its UKI; see cfsctl-image(1).
inline constexpr const char* kLayerAnnotation = "org.cfsupdate1.layer";
inline constexpr const char* kLayerAnnotationUki = "uki";
/// The annotation on the others: bytes of the layer's tar, in decimal.
inline constexpr const char* kUnpackedAnnotation = "org.cfsupdate1.unpacked-size";

}  // namespace cfs::update
