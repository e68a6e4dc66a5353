// SPDX-License-Identifier: Apache-2.0
#include "update/offline.hpp"

#include "base/error.hpp"
#include "crypto/fsverity.hpp"
#include "image/layers.hpp"
#include "update/compose.hpp"
#include "update/kept_files.hpp"
#include "update/layer_import.hpp"
#include "update/machine.hpp"
#include "update/source.hpp"

#include <algorithm>

namespace cfs::update {
namespace {

bool is_uki_layer(const net::Descriptor& layer) {
    const auto note = layer.annotations.find(kLayerAnnotation);
    return note != layer.annotations.end() && note->second == kLayerAnnotationUki;
}

using KeepPath = std::function<bool(std::string_view)>;

image::FileTree scan_image(HashAlgorithm algorithm,
                           const std::string& reference,
                           const settings::Settings& settings,
                           const KeepPath& keep_path,
                           KeptFiles& kept,
                           std::vector<std::uint64_t>& unpacked,
                           const std::stop_token& stop) {
    OpenedSource source(reference, settings, "", stop);
    const net::Resolved resolved = source->resolve(net::host_platform(), stop);
    image::LayerMerger merger;
    for (std::size_t i = 0; i < resolved.manifest.layers.size(); ++i) {
        const net::Descriptor& layer = resolved.manifest.layers[i];
        if (is_uki_layer(layer)) continue;
        if (i > 0) merger.next_layer();
        const auto on_content = [&](const Digest& digest, ByteView content) {
            kept.offer(digest, content);
        };
        const auto on_entry = [&](image::TarEntry&& entry) {
            if (entry.external && keep_path(entry.path)) kept.keep(*entry.external);
            merger.apply(std::move(entry));
        };
        unpacked.push_back(scan_layer(algorithm,
                                      *source,
                                      layer,
                                      resolved.config.diff_ids[i],
                                      layer_limits(settings),
                                      kKeepUpTo,
                                      on_content,
                                      on_entry,
                                      stop));
    }
    return merger.take();
}

image::FileTree transformed_image(const std::string& source,
                                  const DigestOptions& options,
                                  const settings::Settings& settings,
                                  std::vector<std::uint64_t>& unpacked,
                                  ProgressSink& progress,
                                  const std::stop_token& stop) {
    progress.stage("fetch");
    KeptFiles kept;
    image::FileTree tree =
        scan_image(options.hash, source, settings, is_policy, kept, unpacked, stop);
    progress.stage("compose");
    image::oci_transform(tree, options.xattrs);
    if (options.bootable) image::boot_transform(tree, options.boot_mtime, kept.reader());
    return tree;
}

}  // namespace

image::FileTree image_tree(const std::string& source,
                           const DigestOptions& options,
                           const settings::Settings& settings,
                           ProgressSink& progress,
                           const std::stop_token& stop) {
    std::vector<std::uint64_t> unpacked;
    return transformed_image(source, options, settings, unpacked, progress, stop);
}

MeasuredImage measure_image(const std::string& source,
                            const DigestOptions& options,
                            const settings::Settings& settings,
                            ProgressSink& progress,
                            const std::stop_token& stop) {
    MeasuredImage out;
    const image::FileTree tree =
        transformed_image(source, options, settings, out.unpacked, progress, stop);
    const Bytes erofs = image::write_erofs(tree, options.version, options.hash);
    require_image_size(erofs.size());
    out.digest = verity_digest(options.hash, erofs);
    return out;
}

std::string image_file(const std::string& source,
                       const std::string& wanted,
                       const settings::Settings& settings,
                       const std::stop_token& stop) {
    const std::string path = wanted.substr(std::min(wanted.find_first_not_of('/'), wanted.size()));
    KeptFiles kept;
    std::vector<std::uint64_t> unpacked;
    const image::FileTree tree = scan_image(
        HashAlgorithm::Sha256,
        source,
        settings,
        [&](std::string_view p) { return p == path; },
        kept,
        unpacked,
        stop);
    const image::Node* const node = tree.lookup(path);
    if (node == nullptr || node->type() != image::FileType::Regular) {
        throw Error(ErrorCode::NotFound, "the image '" + source + "' has no file '/" + path + "'");
    }
    return kept.reader()(*node->leaf());
}

}  // namespace cfs::update
