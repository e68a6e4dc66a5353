// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/image_source.hpp"

#include <functional>

namespace cfs::net {

/// A manifest or index as it came: `digest` has been checked against `bytes`.
struct Document {
    Digest digest;
    Bytes bytes;
    std::string announced_type;  ///< Content-Type or the descriptor's type; may be empty
};

/// Fetches and checks what a descriptor names.
struct DocumentFetcher {
    std::function<Bytes(const Descriptor&)> manifest;  ///< manifests and indexes
    std::function<Bytes(const Descriptor&)> blob;      ///< configs
};

/// From the top document down to manifest and config; leaves Resolved.reference empty.
[[nodiscard]] Resolved resolve_document(Document top,
                                        const Platform& platform,
                                        const DocumentFetcher& fetch);

/// Throws BadFormat when a descriptor names a document larger than kMaxDocumentBytes.
void check_document_size(const Descriptor& descriptor);

}  // namespace cfs::net
