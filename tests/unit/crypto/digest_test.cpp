// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.hpp"

#include "crypto/hasher.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace cfs {
namespace {

// FIPS 180-4 example "abc".
constexpr std::string_view kAbc256 =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Hasher, KnowsTheFipsExample) {
    EXPECT_EQ(hash(HashAlgorithm::Sha256, as_bytes("abc")).hex(), kAbc256);
    EXPECT_EQ(hash(HashAlgorithm::Sha512, as_bytes("abc")).hex(),
              "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
              "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Hasher, TellsOfPiecesInOrderOnceTheyAreHashed) {
    Bytes data((std::size_t{5} << 19) + 3);
    for (std::size_t i = 0; i < data.size(); ++i)
        data[i] = static_cast<std::uint8_t>(i * i >> 7);
    const std::uint8_t* next = data.data();
    const Digest found = hash(HashAlgorithm::Sha256, data, [&](ByteView piece) {
        EXPECT_EQ(piece.data(), next);
        EXPECT_LE(piece.size(), std::size_t{1} << 20);
        next = piece.data() + piece.size();
        // Whoever is told may do with them what he wants.
        std::fill_n(data.begin() + (piece.data() - data.data()), piece.size(), 0);
    });
    EXPECT_EQ(next, data.data() + data.size());
    for (std::size_t i = 0; i < data.size(); ++i)
        data[i] = static_cast<std::uint8_t>(i * i >> 7);
    Hasher whole(HashAlgorithm::Sha256);
    whole.update(data);
    EXPECT_EQ(found, whole.finish());
}

TEST(Hasher, StartsAnewAfterFinish) {
    Hasher hasher(HashAlgorithm::Sha256);
    hasher.update(as_bytes("junk"));
    (void)hasher.finish();
    hasher.update(as_bytes("a"));
    hasher.update(as_bytes("bc"));
    EXPECT_EQ(hasher.finish().hex(), kAbc256);
}

TEST(Digest, ReadsItsOwnHex) {
    const auto digest = Digest::from_hex(kAbc256);
    ASSERT_TRUE(digest);
    EXPECT_EQ(digest->algorithm(), HashAlgorithm::Sha256);
    EXPECT_EQ(digest->hex(), kAbc256);
}

TEST(Digest, RefusesOtherLengthsAndLetters) {
    EXPECT_FALSE(Digest::from_hex("00"));
    EXPECT_FALSE(Digest::from_hex(std::string(63, 'a')));
    EXPECT_FALSE(Digest::from_hex(std::string(64, 'g')));
}

TEST(Digest, OciSpellingIsLowercaseAndNamesItsAlgorithm) {
    const std::string good = "sha256:" + std::string(kAbc256);
    ASSERT_TRUE(digest_from_oci(good));
    EXPECT_EQ(to_oci(*digest_from_oci(good)), good);
    EXPECT_FALSE(digest_from_oci("sha512:" + std::string(kAbc256)));
    EXPECT_FALSE(digest_from_oci("sha256:" + std::string(64, 'A')));
    EXPECT_FALSE(digest_from_oci(kAbc256));
}

}  // namespace
}  // namespace cfs
