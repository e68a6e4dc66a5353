// SPDX-License-Identifier: Apache-2.0
/// \file The kernel arguments that name a composefs image.
///
/// Tokens are split at ASCII white space outside double quotes; there are no escapes; `--` ends
/// nothing. The same rules hold in the initrd that mounts the image.
#pragma once

#include "crypto/digest.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::uki {

/// The kernel keeps 2048 bytes (x86, arm64), the terminating NUL included.
inline constexpr std::size_t kMaxCommandLine = 2047;

/// As written in `composefs.digest=v1-...`; `composefs=<hex>` is V2.
enum class ErofsFormat : std::uint8_t { V1 = 1, V2 = 2 };

enum class ComposefsKey : std::uint8_t {
    Composefs,        ///< `composefs=`
    ComposefsDigest,  ///< `composefs.digest=`
};

[[nodiscard]] std::string_view to_string(ComposefsKey key);

struct ComposefsArg {
    ComposefsKey key = ComposefsKey::Composefs;
    ErofsFormat version = ErofsFormat::V2;
    Digest digest;
    bool insecure = false;  ///< `?`: fs-verity is optional
    std::string token;      ///< as found on the command line

    [[nodiscard]] HashAlgorithm algorithm() const { return digest.algorithm(); }
};

[[nodiscard]] std::vector<std::string_view> split_cmdline(std::string_view cmdline);

/// Every argument that names an image, in order; the first one decides, for us and for the initrd.
/// Throws BadFormat when one is malformed or quoted, or when a key is given twice.
[[nodiscard]] std::vector<ComposefsArg> composefs_args(std::string_view cmdline);

/// The one that decides. Throws like composefs_args, and BadFormat when there is none.
[[nodiscard]] ComposefsArg composefs_arg(std::string_view cmdline);

/// The spelling that `key` wants: `composefs=[?]<hex>` (V2 only, else InvalidArgs) or
/// `composefs.digest=[?]v<n>-<hash>-12:<hex>`.
[[nodiscard]] std::string make_composefs_arg(ErofsFormat version,
                                             const Digest& digest,
                                             bool insecure,
                                             ComposefsKey key);

/// With the key that composefs-rs writes: ComposefsDigest for V1, Composefs for V2.
[[nodiscard]] std::string make_composefs_arg(ErofsFormat version,
                                             const Digest& digest,
                                             bool insecure);

}  // namespace cfs::uki
