// SPDX-License-Identifier: Apache-2.0
/// \file The repositories in tests/data/repo, written by composefs-rs.
#pragma once

#include "crypto/digest.hpp"
#include "store/repository.hpp"
#include "support/temp_dir.hpp"

#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace cfs {

/// Readable, stable ctest names.
inline std::ostream& operator<<(std::ostream& out, HashAlgorithm algorithm) {
    return out << to_string(algorithm);
}

}  // namespace cfs

namespace cfs::test {

inline constexpr const char* kPeerTag = "oci/localhost%2Ftest:latest";
inline constexpr const char* kPeerConfig =
    "oci-config-sha256:8560a4bc965637c6883d6d0393c9217b7a81ddd53ce85bba2e5591c87332e9b9";
inline constexpr const char* kPeerManifest =
    "oci-manifest-sha256:96f3ee7fc2ff59a03a487911de84985e788104d6f2ae34f22f2a501a3592733f";

/// A copy, unpacked into a directory of its own.
class PeerRepo {
 public:
    explicit PeerRepo(HashAlgorithm algorithm);

    [[nodiscard]] const std::string& path() const { return path_; }

    [[nodiscard]] std::unique_ptr<store::Repository> open() const;

    /// Lines of the .ids file: {"plain", "<hex>"}, {"layer-stream sha256:<diff_id>", "<hex>"}.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> ids() const;

    /// The digest after that word.
    [[nodiscard]] Digest id(const std::string& what) const;

 private:
    TempDir dir_;
    std::string algorithm_;
    std::string path_;
};

/// What an EROFS image written by composefs names, found without a parser: its redirect attributes
/// "/XX/<rest>" stand in it as plain text.
[[nodiscard]] std::vector<Digest> scan_image(ByteView erofs);

}  // namespace cfs::test
