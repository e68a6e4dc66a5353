// SPDX-License-Identifier: Apache-2.0
#include "crypto/fsverity.hpp"

#include "base/file_io.hpp"

#include <gtest/gtest.h>

#include <sys/mman.h>

#include <ostream>
#include <string>
#include <tuple>

namespace cfs {
namespace {

std::string digest_of(HashAlgorithm algorithm, std::string_view data) {
    return verity_digest(algorithm, as_bytes(data)).hex();
}

// The values of composefs-rs and of the kernel's documentation of the empty file.
TEST(FsVerity, KnowsGoldenValues) {
    EXPECT_EQ(digest_of(HashAlgorithm::Sha256, "hello world"),
              "1e2eaa4202d750a41174ee454970b92c1bc2f925b1e35076d8c7d5f56362ba64");
    EXPECT_EQ(digest_of(HashAlgorithm::Sha512, "hello world"),
              "18430270729d162d4e469daca123ae61893db4b0583d8f7081e3bf4f92b88ba5"
              "14e7982f10733fb6aa895195c5ae8fd2eb2c47a8be05513ce5a0c51a6f570409");
    EXPECT_EQ(digest_of(HashAlgorithm::Sha256, ""),
              "3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95");
}

TEST(FsVerity, KnowsGoldenValuesAroundABlock) {
    EXPECT_EQ(digest_of(HashAlgorithm::Sha256, std::string(4095, '\0')),
              "5372beb83c78537c8970c8361e3254119fafdf1763854ecd57d3f0fe2da7c719");
    EXPECT_EQ(digest_of(HashAlgorithm::Sha256, std::string(4096, '\0')),
              "babc284ee4ffe7f449377fbf6692715b43aec7bc39c094a95878904d34bac97e");
    EXPECT_EQ(digest_of(HashAlgorithm::Sha256, std::string(4097, '\0')),
              "093756e4ea9683329106d4a16982682ed182c14bf076463a9e7f97305cbac743");
}

// Made with fsverity-utils 1.5 `fsverity digest` from files of the byte sequence i*7+(i>>12) mod
// 256: one full level of hashes, one hash more, and three levels.
struct Golden {
    HashAlgorithm algorithm;
    std::size_t size;
    const char* digest;
};

std::ostream& operator<<(std::ostream& out, const Golden& golden) {
    return out << to_string(golden.algorithm) << '-' << golden.size;
}

std::string pattern(std::size_t size) {
    std::string data(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        data[i] = static_cast<char>(i * 7 + (i >> 12));
    return data;
}

class FsVerityTree : public testing::TestWithParam<Golden> {};

TEST_P(FsVerityTree, AgreesWithFsverityUtils) {
    const Golden& golden = GetParam();
    EXPECT_EQ(digest_of(golden.algorithm, pattern(golden.size)), golden.digest);
}

TEST_P(FsVerityTree, DoesNotDependOnHowDataArrives) {
    const Golden& golden = GetParam();
    const std::string data = pattern(golden.size);
    VerityHasher hasher(golden.algorithm);
    std::size_t step = 1;
    for (std::size_t at = 0; at < data.size();) {
        const std::size_t n = std::min(step, data.size() - at);
        hasher.update(as_bytes(std::string_view(data).substr(at, n)));
        at += n;
        step = step * 3 % 10007;
    }
    EXPECT_EQ(hasher.finish().hex(), golden.digest);
}

// Pieces whose blocks somebody else has hashed, between pieces that come as data.
TEST_P(FsVerityTree, TakesHashesAmongData) {
    const Golden& golden = GetParam();
    const std::string data = pattern(golden.size);
    VerityHasher hasher(golden.algorithm);
    Hasher blocks(golden.algorithm);
    std::string_view rest = data;
    for (std::size_t piece = 0; !rest.empty(); ++piece) {
        const std::string_view part = rest.substr(0, (piece % 5 + 1) * kVerityBlock);
        rest.remove_prefix(part.size());
        if (piece % 3 == 0 || rest.empty()) {
            hasher.update(as_bytes(part));
            continue;
        }
        Bytes hashes(part.size() / kVerityBlock * digest_size(golden.algorithm));
        hash_blocks(blocks, as_bytes(part), hashes);
        hasher.update_with_hashes(hashes);
    }
    EXPECT_EQ(hasher.finish().hex(), golden.digest);
}

// However many go through the lanes of the vector unit together: OpenSSL is who says what they are.
TEST(HashBlocks, AreThoseOfOneBlockAfterTheOther) {
    const std::string data = pattern(41 * kVerityBlock + 1);
    for (const HashAlgorithm algorithm : {HashAlgorithm::Sha256, HashAlgorithm::Sha512}) {
        Hasher hasher(algorithm);
        for (std::size_t count = 0; count <= 41; ++count) {
            const ByteView blocks = as_bytes(data).subspan(count % 2, count * kVerityBlock);
            Bytes expected;
            for (std::size_t at = 0; at < blocks.size(); at += kVerityBlock) {
                const Digest digest = hash(algorithm, blocks.subspan(at, kVerityBlock));
                expected.insert(expected.end(), digest.bytes().begin(), digest.bytes().end());
            }
            Bytes found(expected.size());
            hash_blocks(hasher, blocks, found);
            EXPECT_EQ(found, expected) << to_string(algorithm) << ", " << count << " blocks";
        }
    }
}

// Big files are hashed by several threads; where pieces and windows end must not show.
TEST_P(FsVerityTree, OfAFileIsTheSame) {
    const Golden& golden = GetParam();
    const UniqueFd fd(::memfd_create("pattern", MFD_CLOEXEC));
    ASSERT_GE(fd.get(), 0);
    write_all(fd.get(), as_bytes(pattern(golden.size)));
    EXPECT_EQ(verity_digest_of_file(golden.algorithm, fd.get()).hex(), golden.digest);
}

#include "fsverity_golden.inc"

}  // namespace
}  // namespace cfs
