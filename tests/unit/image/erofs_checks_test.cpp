// SPDX-License-Identifier: Apache-2.0
// What composefs-rs' reader refuses, we refuse; what the C tool writes, the C dialect reads.
#include "base/error.hpp"
#include "image/dump_reader.hpp"
#include "image/erofs_reader.hpp"
#include "unit/image/vectors.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace cfs::image::test {
namespace {

constexpr std::size_t kSuperblock = 1024;
constexpr std::size_t kRoot = 1152;
constexpr std::size_t kNlinkOfExtended = 44;

Bytes image_of(const std::string& lines, ErofsVersion version) {
    const std::string text = "/ 0 40755 2 0 0 0 0.0 - - -\n" + lines;
    const FileTree tree = read_dump(as_bytes(text), DumpDialect::Rust, HashAlgorithm::Sha256);
    return write_erofs(tree, version, HashAlgorithm::Sha256);
}

struct Damage {
    const char* name;
    std::function<void(Bytes&)> change;
};

std::ostream& operator<<(std::ostream& out, const Damage& damage) {
    return out << damage.name;
}

Damage set_byte(const char* name, std::size_t offset, std::uint8_t value) {
    return {name, [offset, value](Bytes& image) { image[offset] = value; }};
}

class DamagedImage : public testing::TestWithParam<Damage> {};

// A V2 image, whose inodes are all extended: /d, a directory, is the second one.
TEST_P(DamagedImage, IsRefused) {
    Bytes image = image_of("/d 0 40755 2 0 0 0 0.0 - - -\n/f 3 100644 1 0 0 0 0.0 - abc -\n",
                           ErofsVersion::V2);
    EXPECT_NO_THROW((void)read_erofs(image));
    GetParam().change(image);
    EXPECT_THROW((void)read_erofs(image), Error);
}

INSTANTIATE_TEST_SUITE_P(
    ErofsReader,
    DamagedImage,
    testing::Values(set_byte("ComposefsMagic", 0, 0),
                    set_byte("HeaderVersion", 4, 2),
                    set_byte("ComposefsVersion", 12, 3),
                    set_byte("ErofsMagic", kSuperblock, 0),
                    set_byte("BlockSize", kSuperblock + 12, 13),
                    set_byte("SuperblockExtensions", kSuperblock + 13, 1),
                    set_byte("UnknownCompatibleFeature", kSuperblock + 8, 14),
                    set_byte("UnknownFeature", kSuperblock + 80, 1),
                    set_byte("CompressionAlgorithms", kSuperblock + 84, 1),
                    set_byte("ExtraDevices", kSuperblock + 86, 1),
                    set_byte("AttributePrefixes", kSuperblock + 91, 1),
                    set_byte("PackedInode", kSuperblock + 96, 1),
                    set_byte("MetadataAddress", kSuperblock + 40, 1),
                    set_byte("DirectoryLinkCount", kRoot + kNlinkOfExtended, 2)),
    [](const auto& param) { return std::string(param.param.name); });

/// The place of an extended inode with this inline content.
std::size_t inode_before(const Bytes& image, std::string_view content) {
    return as_text(image).find(content) - 64;
}

TEST(ErofsLinkCounts, OfAFileAreItsNames) {
    Bytes image = image_of("/f 6 100644 1 0 0 0 0.0 - needle -\n", ErofsVersion::V2);
    image[inode_before(image, "needle") + kNlinkOfExtended] = 2;
    EXPECT_THROW((void)read_erofs(image), Error);
    const FileTree tree = read_erofs(image, ImageDialect::C);
    EXPECT_EQ(tree.lookup("f")->leaf()->stated_nlink, 2U);
}

TEST(ErofsLimits, OfV2AreThoseOfItsReader) {
    const auto link = [](std::size_t size) {
        FileTree tree;
        auto leaf = std::make_shared<Inode>();
        leaf->type = FileType::Symlink;
        leaf->content = std::string(size, 't');
        leaf->size = size;
        tree.root().put("l", Node(std::move(leaf)));
        return tree;
    };
    const auto image = [&link](std::size_t size, ErofsVersion version) {
        return write_erofs(link(size), version, HashAlgorithm::Sha256);
    };
    EXPECT_NO_THROW((void)read_erofs(image(1024, ErofsVersion::V2)));
    EXPECT_THROW((void)read_erofs(image(1025, ErofsVersion::V2)), Error);
    EXPECT_NO_THROW((void)read_erofs(image(4095, ErofsVersion::V1)));
}

TEST(ErofsObjects, OfAnotherAlgorithmAreRefused) {
    const std::string hex(64, 'a');
    const Bytes image = image_of("/f 9 100644 1 0 0 0 0.0 aa/" + hex.substr(2) + " - " + hex + "\n",
                                 ErofsVersion::V1);
    EXPECT_NO_THROW((void)read_erofs(image, ImageDialect::Rust, HashAlgorithm::Sha256));
    EXPECT_THROW((void)read_erofs(image, ImageDialect::Rust, HashAlgorithm::Sha512), Error);
}

/// What the image does not hold: which of several names was the file's own (the first one becomes
/// it), and the sizes of devices and fifos, which decide about the layout.
bool is_exact(const FileTree& tree) {
    bool exact = true;
    tree.walk([&exact](const std::string&, const Node& node) {
        if (node.is_directory()) return;
        const Inode& leaf = *node.leaf();
        const bool special = leaf.type != FileType::Regular && leaf.type != FileType::Symlink;
        if (node.is_link() || (special && leaf.size > 0xffffffff)) exact = false;
    });
    return exact;
}

TEST(CDialect, ImageToTreeToImageIsTheSame) {
    std::size_t count = 0;
    for (const auto& line : read_table("dumps/own/MANIFEST.tsv")) {
        if (line[0] == "file") continue;
        const ErofsVersion version = version_named("V" + line[5]);
        SCOPED_TRACE(line[0] + " V" + line[5]);
        const ErofsOptions options{
            .dialect = ImageDialect::C, .min_version = version, .max_version = version};
        const auto image = [&options](const FileTree& tree) {
            MemorySink sink(std::size_t{64} << 20);
            (void)write_erofs(tree, options, sink);
            return sink.take();
        };
        const FileTree tree =
            read_dump(read_data("dumps/own/" + line[0]), DumpDialect::C, HashAlgorithm::Sha256);
        const Bytes once = image(tree);
        const Bytes again = image(read_erofs(once, ImageDialect::C));
        EXPECT_TRUE(image(read_erofs(again, ImageDialect::C)) == again);
        if (!is_exact(tree)) continue;
        EXPECT_TRUE(again == once);
        ++count;
    }
    EXPECT_GT(count, 150U);
}

}  // namespace
}  // namespace cfs::image::test
