// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/image_source.hpp"

#include <atomic>

namespace cfs::net {

/// A directory in OCI image layout (OCI image-spec 1.1 image-layout.md): `oci-layout`, `index.json`
/// and `blobs/<algorithm>/<hex>`. Nothing outside the directory is read, no link is followed.
class LayoutSource final : public ImageSource {
 public:
    LayoutSource(UniqueFd dir, std::string tag, std::string reference);

    Resolved resolve(const Platform& platform, const std::stop_token& stop) override;
    void fetch_blob(const Descriptor& blob, Sink& sink, const std::stop_token& stop) override;

    /// What index.json lists: the entry with the tag that registries without the API use, and
    /// manifests that name `subject` as their subject. Entries whose blob is missing are passed
    /// over.
    std::vector<Descriptor> referrers(const Digest& subject,
                                      const std::string& artifact_type,
                                      const std::stop_token& stop) override;

    std::uint64_t bytes_fetched() const override { return fetched_; }

 private:
    [[nodiscard]] Descriptor pick_entry(const Platform& platform);
    [[nodiscard]] Bytes read_small(const std::string& name);
    [[nodiscard]] Bytes read_document(const Descriptor& descriptor, const std::stop_token& stop);

    UniqueFd dir_;
    std::string tag_;
    std::string reference_;
    std::atomic<std::uint64_t> fetched_ = 0;
};

}  // namespace cfs::net
