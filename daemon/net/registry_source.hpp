// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/image_source.hpp"
#include "net/registries.hpp"
#include "net/registry_client.hpp"
#include "net/resolve.hpp"

#include <atomic>

namespace cfs::net {

/// An image in a registry, or in one of its mirrors: registries.conf says which are asked, in order
/// and the origin last. resolve() goes on to the next place whatever is wrong with one, and begins
/// at the first each time; blobs come from the place that resolved. fetch_blob() goes on to the
/// next place, and continues there, when one cannot be reached, has no such blob or wants
/// credentials; a place that could not be reached is not asked for blobs again. Wrong bytes are
/// never made good by another place: they are in the sink already. A blob that is cut in the middle
/// is continued where it stopped: by Range when the registry honours it, else by reading over what
/// is there already.
class RegistrySource final : public ImageSource {
 public:
    /// Reads registries.conf. \pre ref.transport == Transport::Registry
    /// \throws RegistryBlocked; BadFormat for registries.conf
    RegistrySource(ImageRef ref, const NetOptions& options);

    Resolved resolve(const Platform& platform, const std::stop_token& stop) override;
    void fetch_blob(const Descriptor& blob, Sink& sink, const std::stop_token& stop) override;

    std::vector<Descriptor> referrers(const Digest& subject,
                                      const std::string& artifact_type,
                                      const std::stop_token& stop) override;

    std::uint64_t bytes_fetched() const override { return fetched_; }

    std::uint64_t kept_bytes(const Descriptor& blob) const override {
        return kept_size(keep_, blob);
    }

    void forget(const Descriptor& blob) noexcept override { forget_kept(keep_, blob); }

 private:
    struct Place {
        ImageRef ref;
        RegistryClient client;
    };

    [[nodiscard]] Document fetch_top(Place& place, const std::stop_token& stop);
    [[nodiscard]] Bytes fetch_manifest(Place& place,
                                       const Descriptor& descriptor,
                                       const std::stop_token& stop);
    [[nodiscard]] Bytes fetch_config(Place& place,
                                     const Descriptor& descriptor,
                                     const std::stop_token& stop);

    [[nodiscard]] Resolved resolve_at(Place& place,
                                      const Platform& platform,
                                      const std::stop_token& stop);
    [[nodiscard]] std::vector<Descriptor> referrers_at(Place& place,
                                                       const Digest& subject,
                                                       const std::string& artifact_type,
                                                       const std::stop_token& stop);
    [[nodiscard]] bool goes_on(std::size_t at, const Error& error) const;

    ImageRef ref_;
    std::string reference_;
    KeepOptions keep_;
    std::vector<Endpoint> route_;
    HttpClient http_;
    std::vector<std::unique_ptr<Place>> places_;  ///< as in route_
    std::atomic<std::size_t> current_ = 0;        ///< where blobs are asked for first
    std::atomic<std::uint64_t> fetched_ = 0;
};

}  // namespace cfs::net
