// SPDX-License-Identifier: Apache-2.0
// Splitstreams that nobody should have written.
#include "store/splitstream.hpp"
#include "store/zstd_stream.hpp"
#include "store_fixture.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace cfs::store {
namespace {

constexpr std::size_t kDigest = 32;

struct Counts {
    std::uint64_t literals = 0;
    std::uint64_t externals = 0;
};

class Counter final : public SplitstreamVisitor {
 public:
    void literal(ByteView data) override { counts.literals += data.size(); }

    void external(const Digest&, std::uint64_t) override { ++counts.externals; }

    Counts counts;
};

std::string number(std::int64_t value) {
    Bytes bytes(8, 0);
    store_le<std::uint64_t>(bytes, 0, static_cast<std::uint64_t>(value));
    return std::string(as_text(bytes));
}

Bytes zstd(std::string_view text) {
    MemorySink out(std::size_t{1} << 24);
    ZstdSink sink(out);
    sink.write(as_bytes(text));
    sink.finish();
    return out.take();
}

/// A file of one stream ref, one object ref and the given sections.
struct Parts {
    std::string stream;
    std::string names;
    std::uint64_t total = 0;
    std::size_t object_bytes = kDigest;
};

Bytes make(const Parts& parts) {
    const Bytes names = zstd(parts.names);
    const Bytes stream = zstd(parts.stream);
    SplitstreamHead head;
    head.algorithm = HashAlgorithm::Sha256;
    head.stream_refs = {kHeadSize, kHeadSize + kDigest};
    head.object_refs = {head.stream_refs.end, head.stream_refs.end + parts.object_bytes};
    head.named_refs = {head.object_refs.end, head.object_refs.end + names.size()};
    head.stream = {head.named_refs.end, head.named_refs.end + stream.size()};
    head.total_size = parts.total;
    Bytes out = encode_head(head);
    out.resize(out.size() + kDigest + parts.object_bytes, 0x11);
    out.insert(out.end(), names.begin(), names.end());
    out.insert(out.end(), stream.begin(), stream.end());
    return out;
}

Counts read(const Bytes& file, const SplitstreamLimits& limits = {}) {
    Counter counter;
    const SplitstreamReader reader{ByteView(file), HashAlgorithm::Sha256, limits};
    (void)reader.named_refs();
    reader.read([](const Digest&) { return std::uint64_t{5}; }, counter);
    return counter.counts;
}

TEST(HostileSplitstream, TheHelperMakesSoundOnes) {
    const Parts parts{number(-3) + "abc" + number(0), std::string("0:name\0", 7), 8};
    const Counts counter = read(make(parts));
    EXPECT_EQ(counter.literals, 3U);
    EXPECT_EQ(counter.externals, 1U);
}

struct BadStream {
    const char* name;
    Parts parts;
    const char* message;

    friend std::ostream& operator<<(std::ostream& out, const BadStream& bad) {
        return out << bad.name;
    }
};

class HostileSections : public testing::TestWithParam<BadStream> {};

TEST_P(HostileSections, AreBadFormat) {
    EXPECT_ERROR(read(make(GetParam().parts)), ErrorCode::BadFormat, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Splitstream,
    HostileSections,
    testing::Values(
        BadStream{"IndexTooLarge", {number(1), "", 5}, "external object 1 of 1"},
        BadStream{"LiteralsTooLong", {number(-9) + "abcdefghi", "", 8}, "longer than the 8"},
        BadStream{"MostNegativeRun", {number(INT64_MIN), "", 8}, "longer than"},
        BadStream{"ExternalTooLong", {number(0), "", 4}, "longer than the 4"},
        BadStream{"TooShort", {number(0), "", 6}, "1 bytes short"},
        BadStream{"EndsInLiterals", {number(-9) + "abc", "", 9}, "ends within literal bytes"},
        BadStream{"EndsInANumber", {"abc", "", 9}, "ends within a number"},
        BadStream{"RunOverItsEnd", {std::string(8, '\xff'), "", 1}, "ends within literal"},
        BadStream{"NameWithoutColon", {"", std::string("0\0", 2), 0}, "no ':'"},
        BadStream{"NameWithoutIndex", {"", std::string(":x\0", 3), 0}, "index"},
        BadStream{"NameIndexTooLarge", {"", std::string("1:x\0", 4), 0}, "'1' of 1"},
        BadStream{
            "NameIndexOverflows", {"", std::string("99999999999999999999999:x\0", 26), 0}, "index"},
        BadStream{"NameWithoutEnd", {"", "0:x", 0}, "no end"},
        BadStream{"NameTwice",
                  {"",
                   std::string("0:x\0"
                               "0:x\0",
                               8),
                   0},
                  "twice"},
        BadStream{"HalfADigest", {"", "", 0, 40}, "object_refs"}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

TEST(HostileSplitstream, EveryCutIsRefused) {
    const Bytes whole = make({number(-3) + "abc" + number(0), std::string("0:name\0", 7), 8});
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_ERROR(read(cut), ErrorCode::BadFormat, "splitstream");
    }
}

TEST(HostileSplitstream, RangesOutsideTheFileAreRefused) {
    const Bytes whole = make({"", "", 0});
    for (std::size_t at = 16; at < 96; at += 8) {
        for (const std::uint64_t value :
             {~std::uint64_t{0}, std::uint64_t{1} << 63, std::uint64_t{whole.size()} + 1}) {
            Bytes bad = whole;
            store_le(bad, at, value);
            EXPECT_ERROR(read(bad), ErrorCode::BadFormat, "splitstream");
        }
    }
}

TEST(HostileSplitstream, TheOtherHashIsRefused) {
    const Bytes file = make({"", "", 0});
    EXPECT_ERROR((SplitstreamReader{ByteView(file), HashAlgorithm::Sha512}),
                 ErrorCode::BadFormat,
                 "hash algorithm 1");
}

TEST(HostileSplitstream, BombIsStoppedByTheDeclaredSize) {
    const std::string zeros(std::size_t{8} << 20, '\0');
    const Bytes file = make({number(-(std::int64_t{8} << 20)) + zeros, "", 1000});
    EXPECT_LT(file.size(), 10000U);
    EXPECT_ERROR(read(file), ErrorCode::BadFormat, "longer than the 1000");
}

TEST(HostileSplitstream, DeclaredSizeOverTheLimitIsRefused) {
    SplitstreamLimits limits;
    limits.max_total_bytes = 999;
    EXPECT_ERROR(read(make({"", "", 1000}), limits), ErrorCode::BadFormat, "allowed are 999");
}

TEST(HostileSplitstream, BombOfNamesIsStopped) {
    SplitstreamLimits limits;
    limits.max_named_refs_bytes = 1000;
    EXPECT_ERROR(
        read(make({"", std::string(100000, 'x'), 0}), limits), ErrorCode::BadFormat, "1000 bytes");
}

}  // namespace
}  // namespace cfs::store
