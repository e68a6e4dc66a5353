// SPDX-License-Identifier: Apache-2.0
// A tree made from the input -> every version of the image -> the same tree. Sizes, names and
// attributes are drawn from where the format changes its mind, which random images never meet.
#include "base/error.hpp"
#include "crypto/fsverity.hpp"
#include "image/dump.hpp"
#include "image/dump_reader.hpp"
#include "image/erofs_reader.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using namespace cfs;
using namespace cfs::image;

/// Numbers from the input; zeros when it is used up.
class Choices {
 public:
    explicit Choices(ByteView data) : data_(data) {}

    [[nodiscard]] bool done() const { return data_.empty(); }

    std::uint64_t below(std::uint64_t limit) {
        std::uint64_t value = 0;
        for (int i = 0; i < 2 && !data_.empty(); ++i) {
            value = value << 8 | data_.front();
            data_ = data_.subspan(1);
        }
        return limit == 0 ? 0 : value % limit;
    }

    std::string text(std::uint64_t size) {
        std::string out(size, 'x');
        for (std::size_t i = 0; i < out.size() && i < 3; ++i)
            out[i] = static_cast<char>(0x21 + below(0x5e));
        return out;
    }

 private:
    ByteView data_;
};

class Builder {
 public:
    explicit Builder(ByteView data) : choices_(data) {}

    FileTree run() {
        directories_.push_back(&tree_.root());
        metadata(tree_.root().meta);
        while (!choices_.done() && count_ < 400) {
            ++count_;
            add();
        }
        return std::move(tree_);
    }

 private:
    void add() {
        Directory& parent = *directories_[choices_.below(directories_.size())];
        constexpr std::array<std::uint64_t, 6> kNames = {1, 2, 3, 20, 200, 255};
        std::string name = choices_.text(kNames[choices_.below(kNames.size())]);
        for (char& c : name)
            c = c == '/' ? '_' : c;
        if (name == "." || name == ".." || parent.find(name) != nullptr) return;
        const std::uint64_t kind = choices_.below(9);
        if (kind == 0) {
            auto directory = std::make_unique<Directory>();
            metadata(directory->meta);
            Directory* made = directory.get();
            parent.put(name, Node(std::move(directory)));
            directories_.push_back(made);
        } else if (kind == 1 && !leaves_.empty()) {
            parent.put(name, Node(leaves_[choices_.below(leaves_.size())]));
        } else {
            auto leaf = make_leaf(kind);
            // "00" to "ff" of the root may be what the format itself puts there.
            if (leaf->is_whiteout() && name.size() == 2) return;
            if (!leaf->is_whiteout()) leaves_.push_back(leaf);
            parent.put(name, Node(std::move(leaf)));
        }
    }

    std::shared_ptr<Inode> make_leaf(std::uint64_t kind) {
        auto leaf = std::make_shared<Inode>();
        metadata(leaf->meta);
        switch (kind) {
            case 2:
                leaf->type = FileType::Symlink;
                leaf->content = choices_.text(1 + choices_.below(1024));
                leaf->size = leaf->content.size();
                break;
            case 3:
                leaf->type = choices_.below(2) == 0 ? FileType::CharDevice : FileType::BlockDevice;
                leaf->rdev = static_cast<std::uint32_t>(choices_.below(3));
                break;
            case 4:
                leaf->type = choices_.below(2) == 0 ? FileType::Fifo : FileType::Socket;
                break;
            case 5:
            case 6: {
                constexpr std::array<std::uint64_t, 5> kSizes = {1,
                                                                 4097,
                                                                 std::uint64_t{1} << 43,
                                                                 (std::uint64_t{1017} << 43) + 1,
                                                                 std::uint64_t{1} << 53};
                leaf->size = kSizes[choices_.below(kSizes.size())];
                leaf->external = verity_digest(HashAlgorithm::Sha256,
                                               as_bytes(choices_.text(choices_.below(3))));
                break;
            }
            default:
                leaf->content = choices_.text(choices_.below(513));
                leaf->size = leaf->content.size();
        }
        return leaf;
    }

    void metadata(Metadata& meta) {
        constexpr std::array<std::uint32_t, 5> kIds = {0, 0, 1000, 65536, 0xffffffff};
        meta.mode = static_cast<std::uint32_t>(choices_.below(010000));
        meta.uid = kIds[choices_.below(kIds.size())];
        meta.gid = kIds[choices_.below(kIds.size())];
        meta.mtime_sec = static_cast<std::int64_t>(choices_.below(3));
        const std::uint64_t count = choices_.below(5) == 0 ? choices_.below(9) : 0;
        for (std::uint64_t i = 0; i < count; ++i) {
            constexpr std::array<std::string_view, 5> kPrefixes = {
                "user.", "trusted.overlay.", "security.", "lustre.", "system.posix_acl_access"};
            std::string name(kPrefixes[choices_.below(kPrefixes.size())]);
            name += choices_.text(1 + choices_.below(3));
            meta.xattrs.insert_or_assign(name, choices_.text(choices_.below(70)));
        }
    }

    Choices choices_;
    FileTree tree_;
    std::vector<Directory*> directories_;
    std::vector<std::shared_ptr<Inode>> leaves_;
    int count_ = 0;
};

void expect_equal(const FileTree& expected, const FileTree& found) {
    const std::string difference = diff_trees(expected, found, 10);
    if (difference.empty()) return;
    std::fputs(difference.c_str(), stderr);
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const FileTree tree = Builder({data, size}).run();
    for (const auto version : {ErofsVersion::V0, ErofsVersion::V1, ErofsVersion::V2}) {
        const Bytes image = write_erofs(tree, version, HashAlgorithm::Sha256);
        const ErofsOptions options{.min_version = version, .max_version = version};
        if (measure_erofs(tree, options).digest != verity_digest(HashAlgorithm::Sha256, image)) {
            std::abort();
        }
        expect_equal(tree, read_erofs(image));
    }
    MemorySink text(std::size_t{64} << 20);
    write_dump(tree, text);
    expect_equal(tree, read_dump(text.bytes(), DumpDialect::Rust, HashAlgorithm::Sha256));
    return 0;
}
