// SPDX-License-Identifier: Apache-2.0
/// \file An image on its way into the store.
#pragma once

#include "update/compose.hpp"
#include "update/engine.hpp"
#include "update/gate.hpp"
#include "update/machine.hpp"

#include <atomic>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace cfs::update {

class KeptFiles;

/// The settings' caps, and what must stay free where the store lies.
[[nodiscard]] LayerLimits store_limits(Machine& machine);

/// One image, pulled step by step in the order of the methods. The caller holds the store's shared
/// lock from before gate() until the deployment that needs the image is recorded. Until commit() no
/// ref is touched: a failure leaves only objects and layers that the next try finds again and the
/// next collection drops.
class Pull {
 public:
    Pull(Machine& machine,
         net::ImageSource& source,
         ProgressSink& progress,
         const std::stop_token& stop);

    /// Reference -> manifest and config. Fetches no layer.
    const net::Resolved& resolve();

    /// Fetches the UKI layer and judges the UKI; checks space on the ESP before and after.
    /// \param replaced bytes on the ESP of what goes for it
    const JudgedUki& gate(const DeploymentRecord* booted,
                          std::uint64_t replaced = 0,
                          Allowed allowed = {});

    /// Of the layer with the UKI, as it is fetched. \pre resolve()
    [[nodiscard]] std::uint64_t uki_layer_bytes() const {
        return resolved_->manifest.layers[uki_layer_].size;
    }

    /// Bytes of the layers that are not here, as they come.
    [[nodiscard]] std::uint64_t open_bytes();
    /// The same unpacked, of those of which the image tells: more than these they do not take.
    [[nodiscard]] std::uint64_t most_bytes();
    /// Those that are here, by their streams' names in the store.
    [[nodiscard]] std::vector<std::string> layer_names();
    /// Somebody changed the store meanwhile.
    void look_again();

    /// What the other layers cost: bytes to fetch, less what an interrupted job left; bytes of
    /// those that are here.
    [[nodiscard]] std::uint64_t missing_bytes();
    [[nodiscard]] std::uint64_t reused_bytes();
    /// Bytes of the layers to fetch, unpacked; nullopt where the image does not tell.
    [[nodiscard]] std::optional<std::uint64_t> unpacked_bytes();

    /// Fetches the layers that are not here. NoSpace beforehand when they cannot fit.
    void fetch();

    /// Makes the image and checks it against the UKI, and every object that it names.
    /// \param previous whose tree explains a mismatch; may be nullptr
    const Composed& compose(const DeploymentRecord* previous);

    /// What fetch() and compose() would find, without storing anything: reads the layers that are
    /// not here and makes the image of them, so that nothing has to go for an image that is not
    /// what the UKI names. Their sizes are signed by nobody. They are fetched once more afterwards.
    /// DigestMismatch as compose(). \pre gate()
    void rehearse(const DeploymentRecord* previous);

    /// Image, config and manifest into the store, pins, all durable.
    void commit();

    /// composed() is needed no more.
    void release_image();

    [[nodiscard]] const net::Resolved& resolved() const { return *resolved_; }

    [[nodiscard]] const JudgedUki& judged() const { return *judged_; }

    [[nodiscard]] const Composed& composed() const { return *composed_; }

    [[nodiscard]] std::uint64_t fetched_bytes() const { return done_ - resumed_; }

 private:
    void plan();
    void import(std::size_t index,
                const LayerLimits& limits,
                const std::stop_token& stop,
                const std::function<void()>& streamed);
    void report_bytes(std::uint64_t total);
    [[nodiscard]] Digest layer_stream(std::size_t index);
    void read_layer(std::size_t index, KeptFiles& kept, const OnEntry& on_entry);
    [[nodiscard]] std::optional<image::FileTree> tree_before(const DeploymentRecord* previous);

    Machine& machine_;
    net::ImageSource& source_;
    ProgressSink& progress_;
    std::stop_token stop_;
    std::optional<net::Resolved> resolved_;
    std::optional<JudgedUki> judged_;
    std::optional<Composed> composed_;
    std::size_t uki_layer_ = 0;
    std::vector<bool> present_;               ///< by layer; empty until planned
    std::atomic<std::uint64_t> done_ = 0;     ///< bytes fetched, and those that were left
    std::atomic<std::uint64_t> resumed_ = 0;  ///< of them what an interrupted job left
    std::uint64_t reused_ = 0;                ///< bytes of layers that were here
};

}  // namespace cfs::update
