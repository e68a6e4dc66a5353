// SPDX-License-Identifier: Apache-2.0
#include "image/layers.hpp"

#include "base/error.hpp"
#include "unit/image/tar_builder.hpp"
#include "unit/image/tar_store.hpp"

#include <gtest/gtest.h>

namespace cfs::image::test {
namespace {

FileTree merged(std::initializer_list<TarBuilder> layers) {
    LayerMerger merger;
    for (const TarBuilder& layer : layers) {
        TarStore store(HashAlgorithm::Sha256);
        for (TarEntry& entry : store.read(layer.bytes()))
            merger.apply(std::move(entry));
        merger.next_layer();
    }
    return merger.take();
}

std::string paths(const FileTree& tree) {
    std::string all;
    tree.walk([&all](const std::string& path, const Node&) { all += path + ' '; });
    return all;
}

std::string error_of(std::initializer_list<TarBuilder> layers) {
    try {
        (void)merged(layers);
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

TEST(Layers, ADirectoryOverADirectoryKeepsTheChildrenAndTakesTheMetadata) {
    const FileTree tree =
        merged({TarBuilder().pax("SCHILY.xattr.user.a", "1").directory("d").file("d/f", ""),
                TarBuilder().header({.name = "d", .type = '5', .mode = "0000700"})});
    EXPECT_EQ(paths(tree), "/d /d/f ");
    EXPECT_EQ(tree.lookup("d")->meta().mode, 0700u);
    EXPECT_TRUE(tree.lookup("d")->meta().xattrs.empty());
}

TEST(Layers, AFileOverADirectoryRemovesTheSubtree) {
    EXPECT_EQ(
        paths(merged({TarBuilder().directory("d").file("d/f", ""), TarBuilder().file("d", "")})),
        "/d ");
}

TEST(Layers, ADirectoryOverAFileIsEmpty) {
    const FileTree tree = merged({TarBuilder().file("d", "x"), TarBuilder().directory("d")});
    EXPECT_TRUE(tree.lookup("d")->is_directory());
}

TEST(Layers, AWhiteoutRemovesOneNameOrNothing) {
    EXPECT_EQ(paths(merged({TarBuilder().file("a", "").file("b", ""),
                            TarBuilder().file(".wh.a", "").file(".wh.zzz", "")})),
              "/b ");
}

TEST(Layers, AnOpaqueWhiteoutAlsoRemovesWhatItsLayerAddedBefore) {
    EXPECT_EQ(
        paths(merged(
            {TarBuilder().directory("d").file("d/old", ""),
             TarBuilder().file("d/before", "").file("d/.wh..wh..opq", "").file("d/after", "")})),
        "/d /d/after ");
}

TEST(Layers, AHardLinkSharesTheFileOfALowerLayer) {
    const FileTree tree =
        merged({TarBuilder().file("a", "one"), TarBuilder().hard_link("b", "a").file("a", "two")});
    EXPECT_EQ(tree.lookup("b")->leaf()->content, "one");
    EXPECT_EQ(tree.lookup("a")->leaf()->content, "two");
}

TEST(Layers, ANullDeviceIsAnOrdinaryDevice) {
    const FileTree tree =
        merged({TarBuilder().file("w", ""), TarBuilder().header({.name = "w", .type = '3'})});
    EXPECT_TRUE(tree.lookup("w")->leaf()->is_whiteout());
}

TEST(Layers, TheRootsEntrySetsItsMetadata) {
    EXPECT_EQ(merged({TarBuilder().header({.name = "./", .type = '5', .mode = "0000711"})})
                  .root()
                  .meta.mode,
              0711u);
}

TEST(Layers, RefuseAMissingParent) {
    const std::string what = error_of({TarBuilder().directory("x"), TarBuilder().file("a/b", "")});
    EXPECT_NE(what.find("layer 2, '/a/b'"), std::string::npos) << what;
    EXPECT_NE(what.find("'/a' is missing"), std::string::npos) << what;
}

TEST(Layers, RefuseASymbolicLinkAsParent) {
    EXPECT_NE(error_of({TarBuilder().directory("usr").symlink("lib", "usr").file("lib/x", "")}),
              "no error");
}

TEST(Layers, RefuseAHardLinkToNothingAndToADirectory) {
    EXPECT_NE(error_of({TarBuilder().hard_link("a", "b")}).find("missing"), std::string::npos);
    EXPECT_NE(error_of({TarBuilder().directory("d").hard_link("a", "d")}).find("a directory"),
              std::string::npos);
}

TEST(Layers, RefuseAWhiteoutInAMissingDirectory) {
    EXPECT_NE(error_of({TarBuilder().file("d/.wh.x", "")}), "no error");
}

TEST(Layers, RefuseARootThatIsNoDirectory) {
    EXPECT_NE(error_of({TarBuilder().file("./", "")}).find("the root"), std::string::npos);
}

}  // namespace
}  // namespace cfs::image::test
