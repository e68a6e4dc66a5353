// SPDX-License-Identifier: Apache-2.0
/// \file Push parser of one uncompressed layer tar: ustar, GNU and V7 headers, PAX and GNU long
/// names. The rules are composefs-rs' (crate tar-core): what it refuses is refused here too, since
/// a more lenient reading could give an image with another digest than the builder's.
#pragma once

#include "base/bytes.hpp"
#include "crypto/digest.hpp"
#include "image/tree.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace cfs::image {

/// One entry of the archive; extension headers are already applied.
struct TarEntry {
    std::string path;  ///< normalised: no leading or trailing '/', no "." component; "" = the root
    FileType type = FileType::Regular;  ///< of no meaning when hard_link is set
    bool hard_link = false;             ///< another name for link_target
    Metadata meta;
    std::uint64_t size = 0;
    std::string link_target;  ///< a symlink's, as it is; a hard link's, normalised like `path`
    std::uint32_t rdev = 0;
    std::string content;             ///< payload up to 64 bytes
    std::optional<Digest> external;  ///< payload above 64 bytes: what file_end() returned
};

/// Receives the archive cut in pieces. Called in the order of the bytes; exceptions pass through
/// the reader, which is of no further use then.
class TarHandler {
 public:
    TarHandler() = default;
    TarHandler(const TarHandler&) = delete;
    TarHandler& operator=(const TarHandler&) = delete;
    virtual ~TarHandler() = default;

    /// Bytes to be kept as they are: headers, small payloads, padding, what follows the end.
    /// All literals and file payloads, put together in order, are the archive bit for bit.
    virtual void literal(ByteView data) = 0;

    /// A payload of more than 64 bytes: one begin, data until `size` bytes, one end.
    virtual void file_begin(std::uint64_t size) = 0;
    virtual void file_data(ByteView data) = 0;
    /// \returns the fs-verity digest of the payload
    virtual Digest file_end() = 0;

    virtual void entry(TarEntry&& entry) = 0;
};

/// What one layer may need at most; exceeded: BadFormat that names the limit and what was found,
/// as soon as a header announces it.
struct TarLimits {
    std::uint64_t max_entries = 16'000'000;
    std::uint64_t max_unpacked_bytes = std::uint64_t{1} << 44;  ///< sum of the payloads
    std::uint64_t max_metadata_bytes = std::uint64_t{8} << 30;  ///< headers and extension payloads
};

/// Feed the bytes in pieces of any size, then finish(). One thread. Every Error (BadFormat) names
/// the entry and its offset in the archive.
class TarReader {
 public:
    explicit TarReader(TarHandler& handler, TarLimits limits = {});
    TarReader(const TarReader&) = delete;
    TarReader& operator=(const TarReader&) = delete;
    ~TarReader();

    void feed(ByteView data);

    /// Replay of a stored layer: stands for the whole payload of the file whose header was fed
    /// last. No file_begin(), file_data() or file_end() follows.
    void feed_external(const Digest& digest, std::uint64_t size);

    /// The archive is complete; throws when it ends inside an entry.
    void finish();

 private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace cfs::image
