// SPDX-License-Identifier: Apache-2.0
// The memory of a tree: names in place and elsewhere, leaves in slabs that any thread may give
// back.
#include "crypto/fsverity.hpp"
#include "image/erofs_writer.hpp"
#include "image/tree.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <thread>
#include <vector>

namespace cfs::image {
namespace {

TEST(Name, KeepsEveryLength) {
    for (std::size_t size = 1; size <= kMaxName; ++size) {
        const std::string text(size, static_cast<char>('a' + size % 26));
        const Name name(text);
        EXPECT_EQ(name.view(), text);
    }
}

TEST(Name, MovesWhetherInPlaceOrNot) {
    const std::string texts[] = {
        "short", std::string(31, 'x'), std::string(32, 'y'), std::string(255, 'z')};
    for (const std::string& from : texts) {
        for (const std::string& to : texts) {
            Name source(from);
            Name target(to);
            target = std::move(source);
            EXPECT_EQ(target.view(), from);
            const Name third(std::move(target));
            EXPECT_EQ(third.view(), from);
        }
    }
}

TEST(NameMap, IsOrderedByBytesWhateverTheOrderOfInsertion) {
    std::vector<std::string> names;
    for (int i = 0; i < 500; ++i)
        names.push_back(
            std::string(static_cast<std::size_t>(1 + i % 60), static_cast<char>(i % 7 + 'a')) +
            std::to_string(i) + (i % 3 == 0 ? "\xff" : ""));
    std::shuffle(names.begin(), names.end(), std::mt19937(7));
    NameMap<int> map;
    for (std::size_t i = 0; i < names.size(); ++i)
        EXPECT_TRUE(map.try_emplace(names[i], static_cast<int>(i)).second);
    EXPECT_FALSE(map.try_emplace(names[0], 0).second);
    std::sort(names.begin(), names.end());
    auto expected = names.begin();
    for (const auto& [name, value] : map)
        EXPECT_EQ(name.view(), *expected++);
    EXPECT_EQ(expected, names.end());
}

TEST(ErofsBuffer, IsNoLargerThanTheImageAndTellsItsDigest) {
    FileTree tree;
    for (int i = 0; i < 30'000; ++i) {
        auto leaf = make_inode();
        leaf->content = std::string(60, 'x');
        leaf->size = leaf->content.size();
        tree.root().children.try_emplace("file" + std::to_string(i), Node(std::move(leaf)));
    }
    const auto image = write_erofs_buffer(tree, ErofsVersion::V1, HashAlgorithm::Sha512);
    EXPECT_GT(image.bytes.size(), std::size_t{2} << 20);
    EXPECT_EQ(image.bytes.capacity(), image.bytes.size());
    EXPECT_EQ(image.digest, verity_digest(HashAlgorithm::Sha512, image.bytes));
}

TEST(InodeMemory, KeepsWhatIsPutIntoIt) {
    std::vector<std::shared_ptr<Inode>> leaves;
    for (std::uint64_t i = 0; i < 50'000; ++i) {
        leaves.push_back(make_inode());
        leaves.back()->size = i;
        leaves.back()->content = std::to_string(i);
    }
    for (std::uint64_t i = 0; i < leaves.size(); ++i) {
        ASSERT_EQ(leaves[i]->size, i);
        ASSERT_EQ(leaves[i]->content, std::to_string(i));
    }
}

// The sanitizers keep what was given back, to notice who still uses it.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

/// In bytes, from the kernel.
std::size_t resident() {
    std::ifstream statm("/proc/self/statm");
    std::size_t size = 0;
    std::size_t pages = 0;
    statm >> size >> pages;
    return pages * 4096;
}

/// Leaves are made by a thread that ends before they do, as the reader of a dump has it.
TEST(InodeMemory, OutlivesItsThreadAndIsGivenBack) {
    const std::size_t before = resident();
    for (int round = 0; round < 5; ++round) {
        std::vector<std::shared_ptr<Inode>> leaves;
        std::thread([&leaves] {
            for (int i = 0; i < 100'000; ++i)
                leaves.push_back(make_inode());
        }).join();
        leaves.back()->size = 7;
        std::thread([gone = std::move(leaves)]() mutable { gone.clear(); }).join();
    }
    // One round takes some 20 MB, five without giving back 100 MB.
    EXPECT_LT(resident(), before + 15'000'000);
}

TEST(InodeMemory, OneLeafKeepsItsSlabOnly) {
    std::vector<std::shared_ptr<Inode>> kept;
    const std::size_t before = resident();
    for (int round = 0; round < 20; ++round) {
        std::vector<std::shared_ptr<Inode>> leaves;
        for (int i = 0; i < 20'000; ++i)
            leaves.push_back(make_inode());
        kept.push_back(leaves[10'000]);
    }
    // A slab is one huge page. Everything kept would be 20 * 20,000 leaves, 77 MB.
    EXPECT_LT(resident(), before + 20 * 2'200'000 + 6'000'000);
}

#endif

}  // namespace
}  // namespace cfs::image
