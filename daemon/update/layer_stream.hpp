// SPDX-License-Identifier: Apache-2.0
/// \file A layer on its way from the registry to the tar parser. Internal to layer_import.
#pragma once

#include "update/layer_import.hpp"

namespace cfs::update {

/// Blob -> unpacked bytes -> tar parser; checks the blob's digest and the diff_id. Three threads:
/// one fetches, one unpacks and hashes, the caller's parses, which runs `handler`. When the archive
/// does not parse, the rest of the blob is fetched all the same (up to 64 MiB), so that a wrong
/// digest is what gets reported.
/// \return bytes of the unpacked layer
std::uint64_t stream_layer(net::ImageSource& source,
                           const net::Descriptor& blob,
                           const Digest& diff_id,
                           const LayerLimits& limits,
                           image::TarHandler& handler,
                           const OnBytes& on_bytes,
                           const std::stop_token& stop);

}  // namespace cfs::update
