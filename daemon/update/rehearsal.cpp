// SPDX-License-Identifier: Apache-2.0
// Pull::rehearse(): the half of a pull that stores nothing.
#include "base/heap.hpp"
#include "image/layers.hpp"
#include "update/kept_files.hpp"
#include "update/pull.hpp"

#include <utility>

namespace cfs::update {

/// One layer's entries, from the store or from the registry.
void Pull::read_layer(std::size_t index, KeptFiles& kept, const OnEntry& on_entry) {
    const LayerLimits limits = layer_limits(machine_.settings);
    if (present_[index]) {
        replay_layer(machine_.store(), layer_stream(index), limits, on_entry);
        return;
    }
    const net::Descriptor& blob = resolved_->manifest.layers[index];
    (void)scan_layer(
        judged_->argument.algorithm(),
        source_,
        blob,
        resolved_->config.diff_ids[index],
        limits,
        kKeepUpTo,
        [&](const Digest& digest, ByteView content) { kept.offer(digest, content); },
        on_entry,
        stop_);
    source_.forget(blob);  // what is kept of it takes the room that is missing
}

void Pull::rehearse(const DeploymentRecord* previous) {
    progress_.message("the image is read once before anything goes for it");
    plan();
    KeptFiles kept;
    image::LayerMerger merger;
    bool first = true;
    for (std::size_t i = 0; i < present_.size(); ++i) {
        if (i == uki_layer_) continue;
        if (!std::exchange(first, false)) merger.next_layer();
        read_layer(i, kept, [&](image::TarEntry&& entry) {
            if (entry.external && is_policy(entry.path)) kept.keep(*entry.external);
            merger.apply(std::move(entry));
        });
    }
    const image::FileTree tree = merger.take();
    const auto stored = store_reader(machine_.store());
    const auto read = [&](const image::Inode& inode) {
        const std::string* content = inode.external ? kept.find(*inode.external) : nullptr;
        return content != nullptr ? *content : stored(inode);
    };
    (void)compose_matching([&] { return tree.copy(); },
                           judged_->argument,
                           read,
                           [&] { return tree_before(previous); },
                           stop_);
    trim_heap();
}

}  // namespace cfs::update
