// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/digest.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cfs::store {

inline constexpr const char* kMetaName = "meta.json";

/// What meta.json says, as far as this version understands it.
struct Meta {
    HashAlgorithm algorithm = HashAlgorithm::Sha512;
    int default_erofs_format = 2;
    /// Features that an older reader may read over but not write under; not empty: do not write.
    std::vector<std::string> unknown_read_only;
};

/// StateCorrupt when it is no such JSON; Unsupported for a newer version, another algorithm or an
/// incompatible feature.
[[nodiscard]] Meta parse_meta(std::string_view json);

/// Text of a new repository's meta.json, byte for byte as composefs-rs writes it.
[[nodiscard]] std::string make_meta(HashAlgorithm algorithm);

/// "fsverity-sha512-12".
[[nodiscard]] std::string meta_algorithm_name(HashAlgorithm algorithm);

}  // namespace cfs::store
