// SPDX-License-Identifier: Apache-2.0
#include "update/compose.hpp"

#include "base/cores.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/limits.hpp"
#include "base/stop.hpp"
#include "image/dump.hpp"
#include "image/erofs_reader.hpp"
#include "image/layers.hpp"
#include "update/parallel.hpp"

#include <algorithm>
#include <utility>

namespace cfs::update {
namespace {

/// A policy file; nothing else is read through this.
constexpr std::size_t kMaxPolicyFile = std::size_t{64} << 20;
constexpr std::size_t kDiffLines = 40;

std::vector<Recipe> recipes_for(uki::ErofsFormat format) {
    using image::BootMtime;
    using image::XattrMode;
    std::vector<Recipe> out;
    for (const auto mode : {XattrMode::AllowlistOnly, XattrMode::KeepUserXattrs}) {
        out.push_back({mode, BootMtime::Full});
        // V2 stores no nanoseconds: both rules give one image.
        if (format == uki::ErofsFormat::V1) out.push_back({mode, BootMtime::Seconds});
    }
    return out;
}

Composed compose(image::FileTree merged,
                 const Recipe& recipe,
                 const uki::ComposefsArg& wanted,
                 const image::ReadContent& read) {
    Composed out;
    out.recipe = recipe;
    out.tree = std::move(merged);
    image::oci_transform(out.tree, recipe.xattrs);
    image::boot_transform(out.tree, recipe.mtime, read);
    image::ErofsBuffer image =
        image::write_erofs_buffer(out.tree, erofs_version(wanted.version), wanted.algorithm());
    require_image_size(image.bytes.size());
    out.erofs = std::move(image.bytes);
    out.digest = image.digest;
    return out;
}

[[noreturn]] void report_mismatch(const uki::ComposefsArg& wanted,
                                  const std::vector<std::string>& tried,
                                  const image::FileTree& tree,
                                  const std::optional<image::FileTree>& previous) {
    std::string details = "tried:\n";
    for (const std::string& line : tried)
        details += "  " + line + "\n";
    if (previous) {
        details += "how this image's tree differs from the running deployment's:\n";
        details += image::diff_trees(*previous, tree, kDiffLines);
    }
    throw Error(ErrorCode::DigestMismatch,
                "the layers make another image than the UKI names: expected " +
                    wanted.digest.hex() + ", found " + tried.front(),
                "the UKI belongs to another build, or the builder computed the digest from a "
                "mounted directory: "
                "ask the image's vendor, the details list every candidate")
        .set_details(details);
}

constexpr std::size_t kMeasuredAtOnce = 256;

[[noreturn]] void refuse_damaged(ByteView erofs, const Digest& object) {
    std::string name;
    image::read_erofs(erofs).walk([&](const std::string& path, const image::Node& node) {
        if (!node.is_directory() && node.leaf()->external == object) name = path;
    });
    throw Error(ErrorCode::StateCorrupt,
                "the object " + object.hex() + " of '" + printable(name) +
                    "' is missing or damaged in the store",
                "run 'cfsctl store fsck', then 'cfsctl update' to fetch it again");
}

}  // namespace

image::FileTree merge_layers(const store::Repository& store,
                             const std::vector<Digest>& streams,
                             const LayerLimits& limits,
                             const std::stop_token& stop) {
    image::LayerMerger merger;
    for (std::size_t i = 0; i < streams.size(); ++i) {
        if (i > 0) merger.next_layer();
        replay_layer(store, streams[i], limits, [&](image::TarEntry&& entry) {
            merger.apply(std::move(entry));
        });
        check(stop);
    }
    return merger.take();
}

std::string to_string(const Recipe& recipe) {
    const bool allowlist = recipe.xattrs == image::XattrMode::AllowlistOnly;
    const bool full = recipe.mtime == image::BootMtime::Full;
    return std::string(allowlist ? "allowlist-only" : "keep-user-xattrs") + ", boot mtime " +
           (full ? "full" : "seconds");
}

image::ErofsVersion erofs_version(uki::ErofsFormat format) {
    return format == uki::ErofsFormat::V1 ? image::ErofsVersion::V1 : image::ErofsVersion::V2;
}

void require_image_size(std::uint64_t bytes) {
    if (bytes <= kMaxImageBytes) return;
    throw Error(ErrorCode::Unsupported,
                "the image's list of files takes " + std::to_string(bytes) +
                    " bytes, more than the " + std::to_string(kMaxImageBytes) + " supported",
                "the image has too many files: ask its vendor for a smaller one");
}

Composed compose_matching(const MergedTree& merged,
                          const uki::ComposefsArg& wanted,
                          const image::ReadContent& read,
                          const PreviousTree& previous,
                          const std::stop_token& stop) {
    std::vector<std::string> tried;
    std::optional<Composed> last;
    for (const Recipe& recipe : recipes_for(wanted.version)) {
        check(stop);
        last.reset();
        last = compose(merged(), recipe, wanted, read);
        if (last->digest == wanted.digest) return std::move(*last);
        tried.push_back(last->digest.hex() + " (" + to_string(recipe) + ")");
    }
    report_mismatch(wanted, tried, last->tree, previous());
}

image::ReadContent store_reader(const store::Repository& store) {
    return [&store](const image::Inode& inode) {
        if (!inode.external) return inode.content;
        const UniqueFd fd = store.open_object(*inode.external);
        const Bytes bytes = read_whole(fd.get(), kMaxPolicyFile);
        return std::string(as_text(bytes));
    };
}

void measure_objects(const store::Repository& store, ByteView erofs, const std::stop_token& stop) {
    const std::vector<Digest> objects = image::erofs_objects(erofs);
    const auto measure = [&](std::size_t part, const std::stop_token& own_stop) {
        const std::size_t end = std::min(objects.size(), (part + 1) * kMeasuredAtOnce);
        for (std::size_t i = part * kMeasuredAtOnce; i < end; ++i) {
            check(own_stop);
            if (!store.has_object(objects[i])) refuse_damaged(erofs, objects[i]);
        }
    };
    const std::size_t parts = (objects.size() + kMeasuredAtOnce - 1) / kMeasuredAtOnce;
    run_parallel(
        parts, usable_cores(), measure, [] {}, stop);
}

Bytes load_image(const store::Repository& store, const Digest& image) {
    const UniqueFd fd = store.open_image(image);
    return read_whole(fd.get(), kMaxImageBytes);
}

image::FileTree load_tree(const store::Repository& store, const Digest& image) {
    return image::read_erofs(load_image(store, image));
}

std::optional<image::FileTree> find_tree(const store::Repository& store, const Digest& image) {
    try {
        return load_tree(store, image);
    } catch (const Error&) {
        return std::nullopt;
    }
}

}  // namespace cfs::update
