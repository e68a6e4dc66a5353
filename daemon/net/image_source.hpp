// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/unique_fd.hpp"
#include "net/image_ref.hpp"
#include "net/net_options.hpp"
#include "net/oci_types.hpp"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace cfs::net {

/// One image for one platform: its two documents, parsed and as the exact bytes that were hashed.
/// Invariant: manifest.layers.size() == config.diff_ids.size() > 0.
struct Resolved {
    Digest manifest_digest;  ///< of manifest_bytes (the platform's manifest, not the index)
    Manifest manifest;
    ImageConfig config;
    Bytes manifest_bytes;
    Bytes config_bytes;
    std::string reference;  ///< canonical text of what was asked for
};

/// Where an image comes from. Methods block; `stop` ends them promptly with Cancelled. May be used
/// from several threads. Nothing is written anywhere but to the caller's sinks, so there is nothing
/// to recover after a crash.
class ImageSource {
 public:
    ImageSource() = default;
    ImageSource(const ImageSource&) = delete;
    ImageSource& operator=(const ImageSource&) = delete;
    virtual ~ImageSource() = default;

    /// Reference -> index -> platform -> manifest -> config, every document checked against its
    /// digest and size. NotFound: no such tag (the tags there are named); NotOurs: no entry for the
    /// platform (those there are named); Unsupported: an artifact that is not an image.
    [[nodiscard]] virtual Resolved resolve(const Platform& platform,
                                           const std::stop_token& stop) = 0;

    /// Streams a blob's bytes as they are stored (compressed) into `sink`, on the calling thread.
    /// Never gives it more than blob.size bytes. Where NetOptions::keep says so, the bytes are kept
    /// until forget(), and a later call, after a crash too, goes on behind them. The digest is
    /// known only at the end: on DigestMismatch the sink holds bytes that must be thrown away.
    virtual void fetch_blob(const Descriptor& blob, Sink& sink, const std::stop_token& stop) = 0;

    /// Bytes of `blob` that fetch_blob() need not fetch, because an earlier process was interrupted
    /// when it had them.
    [[nodiscard]] virtual std::uint64_t kept_bytes(const Descriptor& /*blob*/) const { return 0; }

    /// What fetch_blob() keeps of `blob` for another process is not needed any more, or no good.
    virtual void forget(const Descriptor& /*blob*/) noexcept {}

    /// The manifests that say they belong to the one with digest `subject` (signatures, SBOMs,
    /// ...), of `artifact_type` only unless that is empty; none: an empty list. Whose list it is
    /// nobody vouches for: what it names is to be fetched by digest and verified by whoever uses
    /// it.
    [[nodiscard]] virtual std::vector<Descriptor> referrers(const Digest& subject,
                                                            const std::string& artifact_type,
                                                            const std::stop_token& stop) = 0;

    /// Payload bytes of blobs and documents taken from the source since construction, repeated ones
    /// counted again.
    [[nodiscard]] virtual std::uint64_t bytes_fetched() const = 0;
};

/// A directory in OCI image layout, wherever it lies. `tag` empty: the one entry of its index.
/// \param reference what Resolved.reference and error messages call it
[[nodiscard]] std::unique_ptr<ImageSource> open_layout(UniqueFd dir,
                                                       const std::string& tag,
                                                       const std::string& reference);

/// `oci:` and `docker://`. `oci-archive:` throws Unsupported: the caller unpacks the archive and
/// uses open_layout.
[[nodiscard]] std::unique_ptr<ImageSource> open_source(const ImageRef& ref,
                                                       const NetOptions& options);

}  // namespace cfs::net
