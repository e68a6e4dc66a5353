// SPDX-License-Identifier: Apache-2.0
/// \file One layer: from a registry's blob into the store, and from the store back into tar
/// entries.
#pragma once

#include "image/tar_reader.hpp"
#include "net/image_source.hpp"
#include "store/repository.hpp"

#include <functional>
#include <stop_token>
#include <string>

namespace cfs::update {

/// Caps on what a layer unpacks to.
struct LayerLimits {
    std::uint64_t max_unpacked = 0;  ///< bytes of the whole tar
    std::uint64_t keep_free = 0;     ///< bytes of the store's file system that a layer never takes
    image::TarLimits tar;
};

/// Throws NoSpace unless the store's file system has `needed` bytes beside the `keep_free` ones.
void check_room(const store::Repository& store, std::uint64_t keep_free, std::uint64_t needed);

/// Hears how many more compressed bytes arrived. On the caller's thread.
using OnBytes = std::function<void(std::uint64_t)>;

/// What import_layer() tells on its caller's thread; either may be empty.
struct LayerEvents {
    OnBytes bytes;
    /// All is written; what comes yet is waiting for the disk.
    std::function<void()> streamed;
};

/// "oci-layer-<diff_id>": the stream's name in the store.
[[nodiscard]] std::string layer_stream_name(const Digest& diff_id);

/// "oci-manifest-<digest>" and "oci-config-<digest>": streams of the two documents.
[[nodiscard]] std::string manifest_stream_name(const Digest& manifest);
[[nodiscard]] std::string config_stream_name(const Digest& config);

/// Fetches, unpacks, splits and stores a layer while it streams, checks the blob's digest and size
/// and the diff_id, syncs and links the stream. Returns the stream's object. On any error nothing
/// is linked; objects that were stored stay until the next collection, so that trying again finds
/// them. \pre the caller holds the store's shared lock
[[nodiscard]] Digest import_layer(store::Repository& store,
                                  net::ImageSource& source,
                                  const net::Descriptor& blob,
                                  const Digest& diff_id,
                                  const LayerLimits& limits,
                                  const LayerEvents& events,
                                  const std::stop_token& stop);

/// Fetches a layer again for some of its objects: writes those that `wanted` says yes to, and no
/// other file; syncs them. Checks as import_layer() does; objects that were written before an error
/// stay, since each has the content that its name says. Returns how many were written. \pre the
/// caller holds the store's shared lock
std::uint64_t refetch_objects(store::Repository& store,
                              net::ImageSource& source,
                              const net::Descriptor& blob,
                              const Digest& diff_id,
                              const LayerLimits& limits,
                              const std::function<bool(const Digest&)>& wanted,
                              const OnBytes& on_bytes,
                              const std::stop_token& stop);

/// Hears each entry of a layer's tar, in order.
using OnEntry = std::function<void(image::TarEntry&&)>;

/// Streams a blob through a tar parser without a store: files above 64 bytes are hashed and, if
/// they are no larger than `keep_up_to`, handed to `on_content` before their entry.
using OnContent = std::function<void(const Digest& digest, ByteView content)>;
/// \return bytes of the unpacked layer
std::uint64_t scan_layer(HashAlgorithm algorithm,
                         net::ImageSource& source,
                         const net::Descriptor& blob,
                         const Digest& diff_id,
                         const LayerLimits& limits,
                         std::uint64_t keep_up_to,
                         const OnContent& on_content,
                         const OnEntry& on_entry,
                         const std::stop_token& stop);

/// Parses a stored layer again. Throws StateCorrupt for what import_layer() would never have
/// stored.
void replay_layer(const store::Repository& store,
                  const Digest& stream,
                  const LayerLimits& limits,
                  const OnEntry& on_entry);

/// Is the layer here, with every object of it sound? Nothing is assumed: each object is measured.
[[nodiscard]] bool layer_is_complete(const store::Repository& store, const Digest& diff_id);

}  // namespace cfs::update
