// SPDX-License-Identifier: Apache-2.0
#include "update/documents.hpp"

#include "store/splitstream.hpp"
#include "update/layer_import.hpp"
#include "update/machine.hpp"

namespace cfs::update {
namespace {

Digest commit_document(store::Repository& store,
                       const std::string& name,
                       ByteView bytes,
                       std::uint64_t type,
                       const StreamRefs& refs) {
    store::SplitstreamWriter writer(store);
    for (const auto& [key, target] : refs)
        writer.named_ref(key, target);
    writer.external(store.put_object(bytes), bytes.size());
    const Digest stream = writer.finish(type);
    store.commit_stream(name, stream);
    return stream;
}

}  // namespace

std::string image_ref_name(uki::ErofsFormat format, image::XattrMode xattrs) {
    std::string name = "composefs.image.boot";
    if (format == uki::ErofsFormat::V1) name += ".v1";
    if (xattrs == image::XattrMode::KeepUserXattrs) name += ".xattrs=keep-user-xattrs";
    return name;
}

void commit_documents(store::Repository& store,
                      const net::Resolved& documents,
                      StreamRefs layers,
                      const std::string& image_key,
                      const Digest& image) {
    StreamRefs config_refs = layers;
    config_refs.emplace_back(image_key, image);
    const Digest& config_digest = documents.manifest.config.digest;
    const Digest config = commit_document(store,
                                          config_stream_name(config_digest),
                                          documents.config_bytes,
                                          store::kOciConfig,
                                          config_refs);
    layers.emplace_back("config:" + to_oci(config_digest), config);
    (void)commit_document(store,
                          manifest_stream_name(documents.manifest_digest),
                          documents.manifest_bytes,
                          store::kOciManifest,
                          layers);
}

void pin_deployment(store::Repository& store, const Digest& manifest, const Digest& image) {
    store.set_stream_ref(manifest_pin(manifest), manifest_stream_name(manifest));
    store.set_image_ref(image_pin(image), image);
}

}  // namespace cfs::update
