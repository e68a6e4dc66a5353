// SPDX-License-Identifier: Apache-2.0
#include "net/resolve.hpp"

#include "base/error.hpp"
#include "net/platform.hpp"

namespace cfs::net {
namespace {

constexpr int kMaxIndexDepth = 4;

/// An index may name an index.
Document descend(Document top, const Platform& platform, const DocumentFetcher& fetch) {
    for (int depth = 0; depth < kMaxIndexDepth; ++depth) {
        if (document_kind(top.bytes, top.announced_type) == DocumentKind::Manifest) return top;
        const Index index = parse_index(top.bytes);
        const Descriptor& next = select_platform(index.manifests, platform);
        top = {next.digest, fetch.manifest(next), next.media_type};
    }
    throw Error(ErrorCode::BadFormat,
                "more than " + std::to_string(kMaxIndexDepth) + " indexes inside each other",
                "publish the image with one index");
}

void check_is_image(const Manifest& manifest) {
    const std::string& type = manifest.config.media_type;
    if (type == kOciConfig || type == kDockerConfig) return;
    const std::string artifact = manifest.artifact_type.empty() ? type : manifest.artifact_type;
    throw Error(ErrorCode::Unsupported,
                "this is an artifact of type '" + printable(artifact) + "', not a container image",
                "check the reference: it must name a bootable container image");
}

void check_layers(const Manifest& manifest, const ImageConfig& config) {
    if (manifest.layers.size() == config.diff_ids.size() && !manifest.layers.empty()) return;
    throw Error(ErrorCode::BadFormat,
                "the manifest has " + std::to_string(manifest.layers.size()) +
                    " layers and the config " + std::to_string(config.diff_ids.size()) +
                    " diff_ids; expected one or more, and as many of each",
                "publish the image again with a current tool");
}

}  // namespace

void check_document_size(const Descriptor& descriptor) {
    if (descriptor.size <= kMaxDocumentBytes) return;
    throw Error(ErrorCode::BadFormat,
                "document " + to_oci(descriptor.digest) + " has " +
                    std::to_string(descriptor.size) + " bytes; at most " +
                    std::to_string(kMaxDocumentBytes) + " are allowed",
                "check the image reference: manifests and configs are small");
}

Resolved resolve_document(Document top, const Platform& platform, const DocumentFetcher& fetch) {
    Document found = descend(std::move(top), platform, fetch);
    Resolved out;
    out.manifest = parse_manifest(found.bytes);
    check_is_image(out.manifest);
    out.config_bytes = fetch.blob(out.manifest.config);
    out.config = parse_config(out.config_bytes);
    check_layers(out.manifest, out.config);
    out.manifest_digest = found.digest;
    out.manifest_bytes = std::move(found.bytes);
    return out;
}

}  // namespace cfs::net
