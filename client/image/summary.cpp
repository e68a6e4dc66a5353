// SPDX-License-Identifier: Apache-2.0
#include "client/image/summary.hpp"

#include "crypto/fsverity.hpp"

namespace cfs::client {
namespace {

// Where Linux' erofs_fs.h puts these.
constexpr std::size_t kSuperblock = 1024;
constexpr std::size_t kInodes = kSuperblock + 16;
constexpr std::size_t kBlocks = kSuperblock + 36;
constexpr std::size_t kHeader = kSuperblock + 128;

/// Keeps the superblock of an image and measures all of it.
class MeasureSink final : public Sink {
 public:
    void write(ByteView data) override {
        if (header_.size() < kHeader) {
            const ByteView first = data.first(std::min(data.size(), kHeader - header_.size()));
            header_.insert(header_.end(), first.begin(), first.end());
        }
        sha256_.update(data);
        sha512_.update(data);
    }

    void finish(ImageSummary& out) {
        out.sha256 = sha256_.finish();
        out.sha512 = sha512_.finish();
        if (header_.size() < kHeader) return;
        out.inodes = load_le<std::uint64_t>(header_, kInodes);
        out.blocks = load_le<std::uint32_t>(header_, kBlocks);
    }

 private:
    Bytes header_;
    VerityHasher sha256_{HashAlgorithm::Sha256};
    VerityHasher sha512_{HashAlgorithm::Sha512};
};

}  // namespace

std::string object_of(const image::Inode& leaf) {
    if (leaf.type != image::FileType::Regular || leaf.is_inline()) return {};
    if (!leaf.backing_path.empty()) return std::string(leaf.backing_path.view());
    return leaf.external && !leaf.nameless ? image::object_path(*leaf.external) : std::string();
}

std::map<std::string, ObjectInfo> list_objects(const image::FileTree& tree) {
    std::map<std::string, ObjectInfo> out;
    tree.walk([&out](const std::string& /*path*/, const image::Node& node) {
        if (node.is_directory()) return;
        const image::Inode& leaf = *node.leaf();
        std::string path = object_of(leaf);
        if (!path.empty()) out.try_emplace(std::move(path), ObjectInfo{leaf.external, leaf.size});
    });
    return out;
}

ImageSummary summarize(const LoadedImage& loaded) {
    ImageSummary out;
    MeasureSink sink;
    const image::ErofsImage written = write_image(loaded, sink);
    sink.finish(out);
    out.version = written.version;
    out.size = written.size;
    out.hash = loaded.options.algorithm;
    ++out.names[static_cast<std::size_t>(image::FileType::Directory)];
    loaded.tree.walk([&out](const std::string& /*path*/, const image::Node& node) {
        ++out.names[static_cast<std::size_t>(node.type())];
    });
    for (const auto& [path, object] : list_objects(loaded.tree)) {
        ++out.objects;
        out.object_bytes += object.size;
    }
    return out;
}

}  // namespace cfs::client
