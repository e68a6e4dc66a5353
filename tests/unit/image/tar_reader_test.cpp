// SPDX-License-Identifier: Apache-2.0
#include "image/tar_reader.hpp"

#include "base/error.hpp"
#include "unit/image/tar_builder.hpp"
#include "unit/image/tar_store.hpp"
#include "unit/image/vectors.hpp"

#include <gtest/gtest.h>

namespace cfs::image::test {
namespace {

std::vector<TarEntry> read(const TarBuilder& tar, TarLimits limits = {}) {
    TarStore store(HashAlgorithm::Sha256);
    return store.read(tar.bytes(), 4096, limits);
}

TarEntry read_one(const TarBuilder& tar) {
    auto entries = read(tar);
    EXPECT_EQ(entries.size(), 1u);
    return entries.at(0);
}

std::string error_of(const TarBuilder& tar, TarLimits limits = {}) {
    try {
        (void)read(tar, limits);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::BadFormat);
        return error.what();
    }
    return "no error";
}

class TarPieces : public testing::TestWithParam<std::string> {};

TEST_P(TarPieces, OfAnySizeGiveTheSameEntriesAndTheSameBytes) {
    const Bytes archive = read_data("oci/" + GetParam());
    TarStore whole(HashAlgorithm::Sha256);
    const auto expected = whole.read(archive, archive.size());
    EXPECT_EQ(whole.reassembled(), archive);
    for (const std::size_t step : {1, 511, 513}) {
        TarStore store(HashAlgorithm::Sha256);
        const auto entries = store.read(archive, step);
        EXPECT_EQ(store.reassembled(), archive);
        ASSERT_EQ(entries.size(), expected.size());
        for (std::size_t i = 0; i < entries.size(); ++i) {
            EXPECT_EQ(entries[i].path, expected[i].path);
            EXPECT_EQ(entries[i].meta, expected[i].meta);
            EXPECT_EQ(entries[i].content, expected[i].content);
            EXPECT_EQ(entries[i].external, expected[i].external);
        }
    }
}

TEST_P(TarPieces, StoredAndReplayedGiveTheSameEntries) {
    TarStore first(HashAlgorithm::Sha256);
    const auto expected = first.read(read_data("oci/" + GetParam()));
    TarStore second(HashAlgorithm::Sha256);
    TarReader reader(second);
    first.replay(reader);
    const auto entries = second.take_entries();
    ASSERT_EQ(entries.size(), expected.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
        EXPECT_EQ(entries[i].path, expected[i].path);
        EXPECT_EQ(entries[i].external, expected[i].external);
    }
}

INSTANTIATE_TEST_SUITE_P(Layers,
                         TarPieces,
                         testing::Values("base.tar", "upper.tar"),
                         [](const auto& param) { return test_name(param.param); });

TEST(TarReader, KeepsSixtyFourBytesInlineAndMakesSixtyFiveExternal) {
    EXPECT_EQ(read_one(TarBuilder().file("a", std::string(64, 'x')).end()).content,
              std::string(64, 'x'));
    const TarEntry big = read_one(TarBuilder().file("a", std::string(65, 'x')).end());
    EXPECT_EQ(big.content, "");
    EXPECT_EQ(big.external, verity_digest(HashAlgorithm::Sha256, as_bytes(std::string(65, 'x'))));
}

TEST(TarReader, NormalisesPaths) {
    EXPECT_EQ(read_one(TarBuilder().directory("./a//./b/").end()).path, "a/b");
    EXPECT_EQ(read_one(TarBuilder().directory("/a").end()).path, "a");
    EXPECT_EQ(read_one(TarBuilder().directory("./").end()).path, "");
}

TEST(TarReader, AFileNamedLikeADirectoryStaysAFile) {
    const TarEntry entry = read_one(TarBuilder().file("a/", "x").end());
    EXPECT_EQ(entry.path, "a");
    EXPECT_EQ(entry.type, FileType::Regular);
}

TEST(TarReader, JoinsPrefixAndNameOnlyInUstar) {
    using Magic = TarBuilder::Magic;
    EXPECT_EQ(read_one(TarBuilder().header({.name = "b", .prefix = "a"}).end()).path, "a/b");
    EXPECT_EQ(
        read_one(TarBuilder().header({.name = "b", .prefix = "a", .magic = Magic::Gnu}).end()).path,
        "b");
}

TEST(TarReader, PrefersPaxPathOverGnuNameOverHeader) {
    EXPECT_EQ(read_one(TarBuilder().pax("path", "p").gnu_long('L', "l").file("h", "").end()).path,
              "p");
    EXPECT_EQ(read_one(TarBuilder().gnu_long('L', "l").file("h", "").end()).path, "l");
}

TEST(TarReader, PrefersPaxLinkpathOverGnuLinkOverHeader) {
    const auto both = TarBuilder().pax("linkpath", "p").gnu_long('K', "k").symlink("s", "h").end();
    EXPECT_EQ(read_one(both).link_target, "p");
    EXPECT_EQ(read_one(TarBuilder().gnu_long('K', "k").symlink("s", "h").end()).link_target, "k");
}

TEST(TarReader, LeavesASymlinksTargetAndNormalisesAHardLinks) {
    EXPECT_EQ(read_one(TarBuilder().symlink("s", "./../x//").end()).link_target, "./../x//");
    EXPECT_EQ(read_one(TarBuilder().hard_link("s", "./x//y").end()).link_target, "x/y");
}

TEST(TarReader, TakesTheLastRecordButTheFirstFraction) {
    const auto records = pax_record("mtime", "1.5") + pax_record("mtime", "7.25");
    const TarEntry entry = read_one(TarBuilder().pax_records(records).file("a", "").end());
    EXPECT_EQ(entry.meta.mtime_sec, 7);
    EXPECT_EQ(entry.meta.mtime_nsec, 500'000'000u);
}

TEST(TarReader, CutsAndPadsTheFractionToNanoseconds) {
    EXPECT_EQ(
        read_one(TarBuilder().pax("mtime", "1.1234567899").file("a", "").end()).meta.mtime_nsec,
        123'456'789u);
    EXPECT_EQ(read_one(TarBuilder().pax("mtime", "1.01").file("a", "").end()).meta.mtime_nsec,
              10'000'000u);
}

TEST(TarReader, TakesPaxOwnersSizeAndAttributes) {
    const auto records = pax_record("uid", "4294967297") + pax_record("gid", "70000") +
                         pax_record("size", "3") +
                         pax_record("SCHILY.xattr.user.x", std::string("a\0=\n", 4));
    const TarEntry entry =
        read_one(TarBuilder().pax_records(records).header({.name = "a"}).payload("abc").end());
    EXPECT_EQ(entry.meta.uid, 1u);
    EXPECT_EQ(entry.meta.gid, 70000u);
    EXPECT_EQ(entry.content, "abc");
    EXPECT_EQ(entry.meta.xattrs, (Xattrs{{"user.x", std::string("a\0=\n", 4)}}));
}

TEST(TarReader, IgnoresGlobalHeaders) {
    const TarEntry entry =
        read_one(TarBuilder().pax_records(pax_record("uid", "5"), 'g').file("a", "").end());
    EXPECT_EQ(entry.meta.uid, 0u);
}

TEST(TarReader, ReadsBinaryNumbers) {
    std::string uid("\x80\0\0\0\0\1\0\0", 8);
    EXPECT_EQ(read_one(TarBuilder().header({.name = "a", .uid = uid}).end()).meta.uid, 65536u);
}

TEST(TarReader, ReadsDeviceNumbers) {
    const TarEntry entry = read_one(
        TarBuilder().header({.name = "a", .type = '4', .major = "10", .minor = "454"}).end());
    EXPECT_EQ(entry.type, FileType::BlockDevice);
    EXPECT_EQ(entry.rdev, 0x10082cu);  // 8, 300
}

TEST(TarReader, AcceptsAnEndWithoutZeroBlocks) {
    EXPECT_EQ(read(TarBuilder().directory("a")).size(), 1u);
}

TEST(TarReader, KeepsWhatFollowsTheEnd) {
    TarStore store(HashAlgorithm::Sha256);
    const auto tar = TarBuilder().directory("a").end().raw(std::string(9000, 'z'));
    EXPECT_EQ(store.read(tar.bytes()).size(), 1u);
    EXPECT_EQ(store.reassembled(), Bytes(tar.bytes().begin(), tar.bytes().end()));
}

struct BadTar {
    const char* name;
    TarBuilder tar;
    const char* expected;  ///< part of the message
};

std::ostream& operator<<(std::ostream& out, const BadTar& bad) {
    return out << bad.name;
}

class RefusedTar : public testing::TestWithParam<BadTar> {};

TEST_P(RefusedTar, IsAnErrorThatSaysWhy) {
    const std::string what = error_of(GetParam().tar);
    EXPECT_NE(what.find(GetParam().expected), std::string::npos) << what;
}

TarBuilder bad_checksum() {
    TarBuilder tar;
    tar.file("victim", "");
    tar.text()[0] = 'w';
    return tar;
}

TarBuilder many_extensions() {
    TarBuilder tar;
    tar.gnu_long('L', "a").gnu_long('K', "b").gnu_long('L', "c");
    return tar.file("d", "");
}

INSTANTIATE_TEST_SUITE_P(
    Tar,
    RefusedTar,
    testing::Values(
        BadTar{"DotDot", TarBuilder().file("a/../b", ""), "'..'"},
        BadTar{"HardLinkToDotDot", TarBuilder().hard_link("a", "../b"), "'..'"},
        BadTar{
            "LongComponent", TarBuilder().pax("path", std::string(256, 'n')).file("a", ""), "256"},
        BadTar{"NulInPath", TarBuilder().pax("path", std::string("a\0b", 3)).file("a", ""), "NUL"},
        BadTar{"Checksum", bad_checksum(), "checksum"},
        BadTar{"Garbage", TarBuilder().raw(std::string(512, 'x')), "checksum"},
        BadTar{"BadOctal", TarBuilder().header({.name = "f", .mode = "00x0644"}), "octal"},
        BadTar{"NegativeBinary",
               TarBuilder().header({.name = "f", .uid = std::string(8, '\xff')}),
               "negative"},
        BadTar{"NegativeMtime", TarBuilder().pax("mtime", "-1").file("f", ""), "mtime"},
        BadTar{"WordyMtime", TarBuilder().pax("mtime", "today").file("f", ""), "mtime"},
        BadTar{
            "TwoPaxHeaders", TarBuilder().pax("uid", "1").pax("gid", "1").file("f", ""), "two PAX"},
        BadTar{"TwoLongNames", many_extensions(), "two GNU"},
        BadTar{"PaxLength", TarBuilder().pax_records("99 path=x\n").file("f", ""), "length"},
        BadTar{"PaxWithoutEquals", TarBuilder().pax_records("8 pathx\n").file("f", ""), "'='"},
        BadTar{"HugeExtension",
               TarBuilder().header({.name = "x", .type = 'x', .size = 1 << 21}),
               "1 MiB"},
        BadTar{"GnuSparse", TarBuilder().header({.name = "holes", .type = 'S'}), "sparse"},
        BadTar{"PaxSparse", TarBuilder().pax("GNU.sparse.major", "1").file("f", ""), "sparse"},
        BadTar{"UnknownType", TarBuilder().header({.name = "odd", .type = 'Q'}), "'Q'"},
        BadTar{"DirectoryWithPayload",
               TarBuilder().header({.name = "dir", .type = '5', .size = 3}).payload("abc"),
               "payload of 3"},
        BadTar{"EmptyLink", TarBuilder().symlink("lnk", ""), "target"},
        BadTar{"XattrOf64KiB",
               TarBuilder().pax("SCHILY.xattr.user.x", std::string(65536, 'v')).file("f", ""),
               "65536"},
        BadTar{"CutInHeader", TarBuilder().file("cut", "").raw("xyz"), "ends inside"},
        BadTar{"CutInPayload",
               TarBuilder().header({.name = "cut", .size = 70}).raw("abc"),
               "ends inside"},
        BadTar{"EndAfterExtension", TarBuilder().gnu_long('L', "name"), "ends inside"},
        BadTar{"StrayZeroBlock",
               TarBuilder().raw(std::string(512, '\0')).file("f", ""),
               "single block of zeros"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(TarReader, AnErrorNamesTheEntry) {
    const std::string what =
        error_of(TarBuilder().directory("usr").header({.name = "usr/odd", .type = 'Q'}));
    EXPECT_NE(what.find("'usr/odd' at byte 512"), std::string::npos) << what;
}

TEST(TarLimits, OnEntriesNamesTheLimit) {
    const std::string what =
        error_of(TarBuilder().directory("a").directory("b").directory("c"), {.max_entries = 2});
    EXPECT_NE(what.find("entries than its limit of 2"), std::string::npos) << what;
}

TEST(TarLimits, OnUnpackedBytesStopsAtTheHeader) {
    const std::string what =
        error_of(TarBuilder().header({.name = "a", .size = 1001}), {.max_unpacked_bytes = 1000});
    EXPECT_NE(what.find("limit of 1000: found 0 and then 1001"), std::string::npos) << what;
}

TEST(TarLimits, OnMetadataCountHeadersAndExtensions) {
    const TarBuilder tar = TarBuilder().pax("path", std::string(200, 'p')).file("a", "");
    EXPECT_EQ(read(tar, {.max_metadata_bytes = 512 + 210 + 512}).size(), 1u);
    EXPECT_NE(error_of(tar, {.max_metadata_bytes = 512 + 209 + 512}), "no error");
}

TEST(TarReplay, RefusesAnExternalFileOfAnotherSize) {
    TarStore store(HashAlgorithm::Sha256);
    TarReader reader(store);
    reader.feed(TarBuilder().header({.name = "a", .size = 70}).bytes());
    EXPECT_THROW(reader.feed_external(Digest(), 71), Error);
}

TEST(TarReplay, RefusesAnExternalFileWhereTheArchiveHasAHeader) {
    TarStore store(HashAlgorithm::Sha256);
    TarReader reader(store);
    EXPECT_THROW(reader.feed_external(Digest(), 512), Error);
}

}  // namespace
}  // namespace cfs::image::test
