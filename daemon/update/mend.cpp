// SPDX-License-Identifier: Apache-2.0
#include "update/mend.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/stop.hpp"
#include "crypto/hasher.hpp"
#include "store/splitstream.hpp"
#include "uki/uki.hpp"
#include "update/compose.hpp"
#include "update/gate.hpp"
#include "update/mapped_file.hpp"

namespace cfs::update {
namespace {

constexpr std::size_t kCopyBytes = std::size_t{1} << 20;

/// What the deployment's UKI calls its image.
uki::ComposefsArg argument_of(Machine& machine, const DeploymentRecord& record) {
    const UniqueFd fd = machine.store().open_object(record.uki_object);
    const MappedFile file(fd.get());
    const uki::PeImage pe = uki::parse_pe(file.bytes(), file.release_behind());
    uki::ComposefsArg argument = uki::composefs_arg(uki::parse_uki(pe).cmdline());
    if (argument.digest == record.image) return argument;
    throw Error(ErrorCode::StateCorrupt,
                "the UKI of version " + printable(record.version) + " names the image " +
                    argument.digest.hex() + ", its record says " + record.image.hex(),
                "run 'cfsctl update' to install the image again");
}

/// The ESP is only one of two places: that it fails is no reason not to ask the other.
template <typename F>
auto from_esp(F&& read) {
    try {
        return std::forward<F>(read)();
    } catch (const Error& e) {
        throw Error(ErrorCode::NotFound, std::string("the UKI on the ESP: ") + e.what(), e.hint());
    }
}

Composed compose_again(Machine& machine,
                       const Contents& contents,
                       const uki::ComposefsArg& argument,
                       const std::stop_token& stop) {
    const std::size_t uki_layer = find_uki_layer(contents.documents->manifest);
    std::vector<Digest> streams;
    for (std::size_t i = 0; i < contents.layers.size(); ++i) {
        if (i != uki_layer) streams.push_back(*contents.layers[i].sound);
    }
    store::Repository& store = machine.store();
    const auto merged = [&] {
        return merge_layers(store, streams, layer_limits(machine.settings), stop);
    };
    const PreviousTree none = [] { return std::optional<image::FileTree>(); };
    return compose_matching(merged, argument, store_reader(store), none, stop);
}

}  // namespace

bool copy_uki_from_esp(Machine& machine,
                       const DeploymentRecord& record,
                       const std::stop_token& stop) {
    const auto fd = from_esp([&]() -> std::optional<UniqueFd> {
        const std::string entry = record.phase == Phase::Staged
                                      ? record.staged_file
                                      : find_entry(machine.boot().list(), record.stem);
        return entry.empty() ? std::nullopt : machine.boot().open(entry);
    });
    if (!fd) return false;
    const auto object = machine.store().new_object();
    Bytes buffer(kCopyBytes);
    for (;;) {
        check(stop);
        const std::size_t n = from_esp([&] { return read_some(fd->get(), buffer); });
        if (n == 0) break;
        object->write(ByteView(buffer).first(n));
    }
    if (object->digest() != record.uki_object) return false;
    (void)object->commit();
    return true;
}

bool holds_its_uki(Machine& machine, const DeploymentRecord& record, const std::string& file) {
    const auto fd = machine.boot().open(file);
    if (!fd) return false;
    drop_cache(fd->get());
    Hasher hasher(record.uki_sha256.algorithm());
    Bytes buffer(kCopyBytes);
    while (const std::size_t n = read_some(fd->get(), buffer))
        hasher.update(ByteView(buffer).first(n));
    return hasher.finish() == record.uki_sha256;
}

void restore_entry(Machine& machine, const DeploymentRecord& record, const boot::EntryName& name) {
    const UniqueFd uki = machine.store().open_object(record.uki_object);
    machine.boot().restore(uki.get(), record.uki_sha256, name);
}

void rebuild_image(Machine& machine, const Contents& contents, const std::stop_token& stop) {
    const Digest& image = contents.record->image;
    store::Repository& store = machine.store();
    if (!store.has_object(image)) {
        const uki::ComposefsArg argument = argument_of(machine, *contents.record);
        (void)store.put_object(compose_again(machine, contents, argument, stop).erofs);
    }
    store.commit_image(image);
}

void rebuild_documents(Machine& machine, const Contents& contents, const std::stop_token& stop) {
    const uki::ComposefsArg argument = argument_of(machine, *contents.record);
    const Composed composed = compose_again(machine, contents, argument, stop);
    StreamRefs layers;
    for (const StoredLayer& layer : contents.layers)
        layers.emplace_back(to_oci(layer.diff_id), *layer.sound);
    commit_documents(machine.store(),
                     *contents.documents,
                     layers,
                     image_ref_name(argument.version, composed.recipe.xattrs),
                     contents.record->image);
}

std::string pinned_reference(const DeploymentRecord& record) {
    net::ImageRef reference = net::parse_image_ref(record.reference);
    if (reference.transport == net::Transport::Registry) reference.digest = record.manifest;
    return to_string(reference);
}

}  // namespace cfs::update
