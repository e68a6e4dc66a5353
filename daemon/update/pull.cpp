// SPDX-License-Identifier: Apache-2.0
#include "update/pull.hpp"

#include "base/crash_point.hpp"
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "base/heap.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "update/documents.hpp"
#include "update/offline.hpp"
#include "update/parallel.hpp"
#include "update/source.hpp"

#include <algorithm>
#include <charconv>
#include <semaphore>
#include <utility>

namespace cfs::update {
namespace {

constexpr std::uint64_t kUkiLayerEntries = 1000;
/// A reserve takes at most this part of a file system.
constexpr std::uint64_t kReservePart = 64;
constexpr std::uint64_t kUkiLayerSlack = std::uint64_t{1} << 20;

/// Nobody signed it: for people, and no limit is raised for it.
std::optional<std::uint64_t> told_unpacked_size(const net::Descriptor& layer) {
    const auto found = layer.annotations.find(kUnpackedAnnotation);
    if (found == layer.annotations.end()) return std::nullopt;
    std::uint64_t size = 0;
    const char* end = found->second.data() + found->second.size();
    const auto [stop, error] = std::from_chars(found->second.data(), end, size);
    if (error != std::errc() || stop != end || size > net::kMaxBlobBytes) return std::nullopt;
    return size;
}

/// A layer's turn at the network and the processor ends before it waits for the disk: the next one
/// has both meanwhile.
class Turns {
 public:
    explicit Turns(unsigned at_once) : free_(at_once) {}

    class Turn {
     public:
        explicit Turn(Turns& turns) : turns_(&turns) { turns.free_.acquire(); }

        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

        ~Turn() { end(); }

        void end() {
            if (turns_ != nullptr) std::exchange(turns_, nullptr)->free_.release();
        }

     private:
        Turns* turns_;
    };

 private:
    std::counting_semaphore<> free_;
};

}  // namespace

LayerLimits store_limits(Machine& machine) {
    LayerLimits limits = layer_limits(machine.settings);
    const std::uint64_t total = free_space(machine.store().dir_fd()).total;
    limits.keep_free = std::min(machine.settings.store.reserve, total / kReservePart);
    return limits;
}

Pull::Pull(Machine& machine,
           net::ImageSource& source,
           ProgressSink& progress,
           const std::stop_token& stop)
    : machine_(machine), source_(source), progress_(progress), stop_(stop) {}

const net::Resolved& Pull::resolve() {
    resolved_ = source_.resolve(net::host_platform(), stop_);
    uki_layer_ = find_uki_layer(resolved_->manifest);
    return *resolved_;
}

void Pull::plan() {
    if (!present_.empty()) return;
    for (const Digest& diff_id : resolved_->config.diff_ids) {
        check(stop_);
        present_.push_back(layer_is_complete(machine_.store(), diff_id));
        if (present_.back()) reused_ += resolved_->manifest.layers[present_.size() - 1].size;
    }
}

std::uint64_t Pull::open_bytes() {
    plan();
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < present_.size(); ++i) {
        if (!present_[i]) sum += resolved_->manifest.layers[i].size;
    }
    return sum;
}

std::uint64_t Pull::most_bytes() {
    plan();
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < present_.size(); ++i) {
        const net::Descriptor& layer = resolved_->manifest.layers[i];
        if (!present_[i]) sum += told_unpacked_size(layer).value_or(layer.size);
    }
    return sum;
}

std::vector<std::string> Pull::layer_names() {
    plan();
    std::vector<std::string> out;
    for (std::size_t i = 0; i < present_.size(); ++i) {
        if (present_[i]) out.push_back(layer_stream_name(resolved_->config.diff_ids[i]));
    }
    return out;
}

void Pull::look_again() {
    present_.clear();
    reused_ = 0;
}

std::uint64_t Pull::missing_bytes() {
    std::uint64_t sum = open_bytes();
    for (std::size_t i = 0; i < present_.size(); ++i) {
        if (!present_[i]) sum -= source_.kept_bytes(resolved_->manifest.layers[i]);
    }
    return sum;
}

std::optional<std::uint64_t> Pull::unpacked_bytes() {
    plan();
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < present_.size(); ++i) {
        if (present_[i]) continue;
        const auto size = told_unpacked_size(resolved_->manifest.layers[i]);
        if (!size) return std::nullopt;
        sum += *size;
    }
    return sum;
}

std::uint64_t Pull::reused_bytes() {
    plan();
    return reused_;
}

void Pull::import(std::size_t index,
                  const LayerLimits& limits,
                  const std::stop_token& stop,
                  const std::function<void()>& streamed) {
    const net::Descriptor& blob = resolved_->manifest.layers[index];
    resumed_ += source_.kept_bytes(blob);
    (void)import_layer(
        machine_.store(),
        source_,
        blob,
        resolved_->config.diff_ids[index],
        limits,
        {.bytes = [this](std::uint64_t more) { done_ += more; }, .streamed = streamed},
        stop);
}

void Pull::report_bytes(std::uint64_t total) {
    progress_.bytes(done_, total, reused_);
}

const JudgedUki& Pull::gate(const DeploymentRecord* booted,
                            std::uint64_t replaced,
                            Allowed allowed) {
    progress_.stage("gate");
    plan();
    const net::Descriptor& blob = resolved_->manifest.layers[uki_layer_];
    const std::uint64_t reserve = machine_.settings.boot.esp_reserve;
    machine_.boot().check_space({.uki = blob.size, .reserve = reserve, .replaced = replaced});
    LayerLimits limits = store_limits(machine_);
    limits.max_unpacked = machine_.settings.boot.max_uki_size + kUkiLayerSlack;
    limits.tar.max_entries = kUkiLayerEntries;
    if (!present_[uki_layer_]) {
        import(uki_layer_, limits, stop_, {});
        present_[uki_layer_] = true;
        report_bytes(done_ + open_bytes());
    }
    UkiLayer layer;
    replay_layer(machine_.store(), layer_stream(uki_layer_), limits, [&](image::TarEntry&& entry) {
        layer.add(entry);
    });
    judged_ = judge_uki(machine_, *layer.uki().external, booted, allowed);
    machine_.boot().check_space(
        {.uki = judged_->uki.size, .reserve = reserve, .replaced = replaced});
    return *judged_;
}

void Pull::fetch() {
    progress_.stage("fetch");
    const LayerLimits limits = store_limits(machine_);
    net::prune_kept(keep_options(machine_.settings), resolved_->manifest.layers);
    check_room(machine_.store(), limits.keep_free, open_bytes());
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < present_.size(); ++i) {
        if (!present_[i]) missing.push_back(i);
    }
    // The largest first: what is left at the end is short.
    const auto& layers = resolved_->manifest.layers;
    std::stable_sort(missing.begin(), missing.end(), [&](std::size_t one, std::size_t other) {
        return layers[one].size > layers[other].size;
    });
    const std::uint64_t total = done_ + open_bytes();
    progress_.message("fetching " + std::to_string(missing.size()) + " of " +
                      std::to_string(present_.size()) + " layers" +
                      (missing.size() < present_.size() ? ", the others are here already" : ""));
    report_bytes(total);
    const unsigned connections = machine_.settings.net.connections;
    Turns turns(connections);
    const auto fetch_one = [&](std::size_t n, const std::stop_token& stop) {
        Turns::Turn turn(turns);
        import(missing[n], limits, stop, [&turn] { turn.end(); });
};
const auto report = [&] { report_bytes(total); };
run_parallel(missing.size(), connections + 1, fetch_one, report, stop_);
for (const std::size_t index : missing)
    present_[index] = true;
trim_heap();
}

void Pull::release_image() {
    composed_.reset();
    trim_heap();
}

Digest Pull::layer_stream(std::size_t index) {
    const Digest& diff_id = resolved_->config.diff_ids[index];
    const auto stream = machine_.store().find_stream(layer_stream_name(diff_id));
    if (stream) return *stream;
    throw Error(ErrorCode::Busy,
                "the layer " + to_oci(diff_id) + " vanished from the store while it was in use",
                "another tool removed it: try again");
}

/// It only explains a failure, and must not take its place.
std::optional<image::FileTree> Pull::tree_before(const DeploymentRecord* previous) {
    if (previous == nullptr) return std::nullopt;
    try {
        return find_tree(machine_.store(), previous->image);
    } catch (const Error& e) {
        log::warn(std::string("the running deployment's image cannot be read: ") + e.what());
        return std::nullopt;
    }
}

const Composed& Pull::compose(const DeploymentRecord* previous) {
    progress_.stage("compose");
    std::vector<Digest> streams;
    for (std::size_t i = 0; i < present_.size(); ++i) {
        if (i != uki_layer_) streams.push_back(layer_stream(i));
    }
    store::Repository& store = machine_.store();
    const auto merged = [&] {
        return merge_layers(store, streams, layer_limits(machine_.settings), stop_);
    };
    const auto before = [&] { return tree_before(previous); };
    composed_ = compose_matching(merged, judged_->argument, store_reader(store), before, stop_);
    trim_heap();
    progress_.stage("verify");
    measure_objects(store, composed_->erofs, stop_);
    return *composed_;
}

void Pull::commit() {
    store::Repository& store = machine_.store();
    const Digest image = store.put_object(composed_->erofs);
    if (image != judged_->argument.digest) {
        throw Error(ErrorCode::Internal,
                    "the stored image measures " + image.hex() + ", composed was " +
                        judged_->argument.digest.hex());
    }
    store.commit_image(image);
    std::vector<std::pair<std::string, Digest>> layers;
    for (std::size_t i = 0; i < present_.size(); ++i) {
        layers.emplace_back(to_oci(resolved_->config.diff_ids[i]), layer_stream(i));
    }
    const std::string ref_name =
        image_ref_name(judged_->argument.version, composed_->recipe.xattrs);
    commit_documents(store, *resolved_, layers, ref_name, image);
    crash_point("update.before-pins");
    pin_deployment(store, resolved_->manifest_digest, image);
    store.sync();
    crash_point("update.pinned");
}

}  // namespace cfs::update
