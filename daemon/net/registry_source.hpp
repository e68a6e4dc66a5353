// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/image_source.hpp"
#include "net/registry_client.hpp"
#include "net/resolve.hpp"

#include <atomic>

namespace cfs::net {

/// An image in a registry. A blob that is cut in the middle is continued where it stopped: by Range
/// when the registry honours it, else by reading over what is there already.
class RegistrySource final : public ImageSource {
 public:
    /// \pre ref.transport == Transport::Registry
    RegistrySource(ImageRef ref, const NetOptions& options);

    Resolved resolve(const Platform& platform, const std::stop_token& stop) override;
    void fetch_blob(const Descriptor& blob, Sink& sink, const std::stop_token& stop) override;

    std::uint64_t bytes_fetched() const override { return fetched_; }

 private:
    [[nodiscard]] Document fetch_top(const std::stop_token& stop);
    [[nodiscard]] Bytes fetch_manifest(const Descriptor& descriptor, const std::stop_token& stop);
    [[nodiscard]] Bytes fetch_config(const Descriptor& descriptor, const std::stop_token& stop);

    ImageRef ref_;
    HttpClient http_;
    RegistryClient client_;
    std::atomic<std::uint64_t> fetched_ = 0;
};

}  // namespace cfs::net
