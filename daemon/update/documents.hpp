// SPDX-License-Identifier: Apache-2.0
/// \file An image's manifest and config as the store keeps them: streams that hold the exact bytes
/// and keep alive what these are about.
#pragma once

#include "image/transform.hpp"
#include "net/image_source.hpp"
#include "store/repository.hpp"
#include "uki/cmdline.hpp"

#include <string>
#include <utility>
#include <vector>

namespace cfs::update {

/// Key and splitstream or image, as they stand in a stream's named references.
using StreamRefs = std::vector<std::pair<std::string, Digest>>;

/// Name under which composefs-rs looks up an image in a config's references.
[[nodiscard]] std::string image_ref_name(uki::ErofsFormat format, image::XattrMode xattrs);

/// Writes and links the streams of config and manifest, each durable before the next names it.
/// \param layers "sha256:<diff_id>" and the layer's splitstream, lowest first
void commit_documents(store::Repository& store,
                      const net::Resolved& documents,
                      StreamRefs layers,
                      const std::string& image_key,
                      const Digest& image);

/// Refs that keep a deployment's streams and image. Not durable before Repository::sync().
void pin_deployment(store::Repository& store, const Digest& manifest, const Digest& image);

}  // namespace cfs::update
