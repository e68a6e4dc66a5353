// SPDX-License-Identifier: Apache-2.0
/// \file How a SOURCE becomes an image: the options that the verbs of `cfsctl image` share.
#pragma once

#include "image/erofs_writer.hpp"
#include "image/transform.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cfs::client {

/// How a registry is reached.
struct SourceOptions {
    std::string ca_file;
    std::vector<std::string> insecure_registries;
};

/// Of dir: alone.
struct ScanOptions {
    std::string digest_store;  ///< objects are copied there; empty: they are not
    bool use_epoch = false;
    bool skip_devices = false;
    bool skip_xattrs = false;
    bool user_xattrs = false;
    bool hardlinks = false;           ///< under --compat c, whose tool does not look for them
    bool propagate_usr = true;        ///< false: taken as it is, without the rules for containers
    std::optional<unsigned> threads;  ///< empty: one per processor
};

/// What was not given stays empty: the default may depend on the source.
struct ImageOptions {
    image::ImageDialect dialect = image::ImageDialect::Rust;
    bool strict = false;  ///< of the C tool's dump parser
    std::optional<image::ErofsVersion> format;
    std::optional<image::ErofsVersion> min_version;
    std::optional<image::ErofsVersion> max_version;
    std::optional<HashAlgorithm> hash;
    bool bootable = false;
    std::optional<image::BootMtime> boot_mtime;
    std::optional<image::XattrMode> xattrs;
    ScanOptions scan;
    SourceOptions reach;

    /// Is anything said about the image's format? If not, an image is taken as it is.
    [[nodiscard]] bool asks_for_format() const;
};

/// For the writer, by the rules of the dialect: composefs-rs writes the version that it is told,
/// the C tool one between two.
[[nodiscard]] image::ErofsOptions erofs_options(const ImageOptions& options,
                                                HashAlgorithm algorithm);

/// sha512 as in composefs-rs, sha256 as in the C tool.
[[nodiscard]] HashAlgorithm default_hash(image::ImageDialect dialect);

/// A rule between options that the option tree has no word for; empty when all is well.
[[nodiscard]] std::string problem_with(const ImageOptions& options);

}  // namespace cfs::client
