// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/fsverity.hpp"
#include "image/tar_reader.hpp"

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace cfs::image::test {

/// A TarHandler that keeps everything: entries, payloads by digest, and the pieces of the archive.
class TarStore final : public TarHandler {
 public:
    struct Piece {
        Bytes literal;
        std::optional<Digest> external;
    };

    explicit TarStore(HashAlgorithm algorithm) : algorithm_(algorithm) {}

    /// Feeds a whole archive in pieces of `step` bytes and returns its entries.
    std::vector<TarEntry> read(ByteView archive, std::size_t step = 4096, TarLimits limits = {});

    /// Feeds the recorded pieces, external ones by digest, to another reader.
    void replay(TarReader& reader) const;

    /// The recorded pieces put together.
    [[nodiscard]] Bytes reassembled() const;

    [[nodiscard]] std::string content(const Inode& inode) const {
        return objects_.at(inode.external.value());
    }

    /// What arrived since the last call.
    [[nodiscard]] std::vector<TarEntry> take_entries() { return std::exchange(entries_, {}); }

    void literal(ByteView data) override;
    void file_begin(std::uint64_t size) override;
    void file_data(ByteView data) override;
    Digest file_end() override;
    void entry(TarEntry&& entry) override;

 private:
    HashAlgorithm algorithm_;
    std::string file_;
    std::unordered_map<Digest, std::string> objects_;
    std::vector<Piece> pieces_;
    std::vector<TarEntry> entries_;
};

}  // namespace cfs::image::test
