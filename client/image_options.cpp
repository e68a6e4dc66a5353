// SPDX-License-Identifier: Apache-2.0
#include "client/image_options.hpp"

#include <algorithm>

namespace cfs::client {

using image::ErofsVersion;
using image::ImageDialect;

bool ImageOptions::asks_for_format() const {
    return format || min_version || max_version || dialect != ImageDialect::Rust;
}

image::ErofsOptions erofs_options(const ImageOptions& options, HashAlgorithm algorithm) {
    image::ErofsOptions out;
    out.dialect = options.dialect;
    out.algorithm = algorithm;
    if (options.dialect == ImageDialect::Rust) {
        out.min_version = out.max_version = options.format.value_or(ErofsVersion::V1);
        return out;
    }
    const bool free = !options.format && !options.min_version && !options.max_version;
    // One bound alone leaves the other at V0, as mkcomposefs does, and the upper follows the lower.
    const ErofsVersion base = options.format.value_or(ErofsVersion::V0);
    out.min_version = options.min_version.value_or(base);
    out.max_version =
        std::max(out.min_version, options.max_version.value_or(free ? ErofsVersion::V1 : base));
    return out;
}

HashAlgorithm default_hash(ImageDialect dialect) {
    return dialect == ImageDialect::C ? HashAlgorithm::Sha256 : HashAlgorithm::Sha512;
}

std::string problem_with(const ImageOptions& options) {
    const bool c = options.dialect == ImageDialect::C;
    if (!c && options.strict) return "--strict belongs to --compat c";
    if (!c && (options.min_version || options.max_version)) {
        return "--min-version and --max-version belong to --compat c; composefs-rs' versions are "
               "chosen by --format";
    }
    if (!c && options.scan.hardlinks) {
        return "--hardlinks belongs to --compat c; composefs-rs always looks for them";
    }
    if (c && options.format == ErofsVersion::V2) {
        return "--compat c writes v0 and v1; v2 is composefs-rs' own";
    }
    if (options.scan.skip_xattrs && options.scan.user_xattrs) {
        return "--skip-xattrs and --user-xattrs exclude each other";
    }
    return {};
}

}  // namespace cfs::client
