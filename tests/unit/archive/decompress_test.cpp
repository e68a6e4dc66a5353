// SPDX-License-Identifier: Apache-2.0
// The packed files were written by the gzip and zstd programs: see tests/data/archive/README.md.
#include "archive/decompress.hpp"

#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "support/expect_error.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace cfs::archive {
namespace {

using test::expect_error;

constexpr std::uint64_t kPlenty = 100'000'000;

Bytes packed(const std::string& name) {
    const UniqueFd dir = open_root(CFS_TEST_DATA "/archive");
    return read_file_at(dir.get(), name, 1'000'000);
}

Compression compression_of(const std::string& name) {
    return name.ends_with(".gz") ? Compression::Gzip : Compression::Zstd;
}

/// What `seq 1 5000` prints.
std::string seq() {
    std::string out;
    for (int i = 1; i <= 5000; ++i)
        out += std::to_string(i) + "\n";
    return out;
}

/// Gives at most `piece` bytes at a time.
class PieceSource final : public Source {
 public:
    PieceSource(ByteView data, std::size_t piece) : rest_(data), piece_(piece) {}

    std::size_t read(std::span<std::uint8_t> buffer) override {
        const std::size_t count = std::min({buffer.size(), rest_.size(), piece_});
        std::copy_n(rest_.begin(), count, buffer.begin());
        rest_ = rest_.subspan(count);
        return count;
    }

 private:
    ByteView rest_;
    std::size_t piece_;
};

std::string unpack(ByteView data,
                   Compression compression,
                   std::uint64_t limit = kPlenty,
                   std::size_t in = 1 << 20,
                   std::size_t out = 65536) {
    PieceSource source(data, in);
    const auto stream = decompress(source, compression, limit);
    std::string text;
    Bytes buffer(out);
    while (const std::size_t count = stream->read(buffer)) {
        text += as_text(ByteView(buffer).first(count));
    }
    EXPECT_EQ(stream->read(buffer), 0U) << "the end stays the end";
    return text;
}

class PackedFile : public testing::TestWithParam<std::string> {};

TEST_P(PackedFile, GivesTheOriginalWhateverThePieces) {
    const Bytes data = packed(GetParam());
    const Compression compression = compression_of(GetParam());
    const std::string expected = seq();
    EXPECT_EQ(unpack(data, compression), expected);
    for (const std::size_t in : {1U, 2U, 7U, 100U}) {
        EXPECT_EQ(unpack(data, compression, kPlenty, in), expected) << in;
    }
    for (const std::size_t out : {1U, 3U, 1000U}) {
        EXPECT_EQ(unpack(data, compression, kPlenty, 13, out), expected) << out;
    }
}

TEST_P(PackedFile, MayFillItsLimitExactlyAndNoMore) {
    const Bytes data = packed(GetParam());
    const Compression compression = compression_of(GetParam());
    const std::size_t size = seq().size();
    EXPECT_EQ(unpack(data, compression, size).size(), size);
    expect_error(ErrorCode::BadFormat, "more than the " + std::to_string(size - 1) + " bytes", [&] {
        (void)unpack(data, compression, size - 1);
    });
}

TEST_P(PackedFile, AnyTruncationIsNoticed) {
    const Bytes data = packed(GetParam());
    const std::string name = GetParam();
    // The border between two members or frames is a legal end.
    const std::string half = seq().substr(0, seq().find("2501\n"));
    std::size_t legal = 0;
    for (std::size_t size = 0; size < data.size(); size += size < 50 ? 1 : 37) {
        try {
            EXPECT_EQ(unpack(ByteView(data).first(size), compression_of(name)), half) << size;
            ++legal;
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::BadFormat) << size;
        }
    }
    EXPECT_LE(legal, name.find("two") == std::string::npos ? 0U : 1U);
}

TEST_P(PackedFile, TrailingBytesAreRefused) {
    Bytes data = packed(GetParam());
    for (const auto& tail : {Bytes{0}, Bytes{'x', 'y', 'z', 'w', 'x'}, Bytes{0x1f}}) {
        Bytes longer = data;
        longer.insert(longer.end(), tail.begin(), tail.end());
        expect_error(ErrorCode::BadFormat, std::string(to_string(compression_of(GetParam()))), [&] {
            (void)unpack(longer, compression_of(GetParam()));
        });
    }
}

INSTANTIATE_TEST_SUITE_P(
    All,
    PackedFile,
    testing::Values("seq.gz", "seq.zst", "seq-two-members.gz", "seq-two-frames.zst"),
    [](const auto& one) {
        std::string name = one.param;
        std::replace_if(
            name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
        return name;
    });

TEST(Decompress, PlainBytesPassThrough) {
    EXPECT_EQ(unpack(as_bytes("as they are"), Compression::None), "as they are");
    EXPECT_EQ(unpack({}, Compression::None), "");
    expect_error(ErrorCode::BadFormat, "more than the 3 bytes", [] {
        (void)unpack(as_bytes("four"), Compression::None, 3);
    });
}

TEST(Decompress, ANothingIsPackedToo) {
    EXPECT_EQ(unpack(packed("empty.gz"), Compression::Gzip), "");
    EXPECT_EQ(unpack(packed("empty.zst"), Compression::Zstd), "");
}

TEST(Decompress, NoBytesAreNoPackedNothing) {
    expect_error(ErrorCode::BadFormat, "empty", [] { (void)unpack({}, Compression::Gzip); });
    expect_error(ErrorCode::BadFormat, "empty", [] { (void)unpack({}, Compression::Zstd); });
}

TEST(Decompress, BombsAreStoppedAtTheLimit) {
    for (const std::string name : {"zeros.gz", "zeros.zst"}) {
        expect_error(ErrorCode::BadFormat, "more than the 1000000 bytes allowed", [&] {
            (void)unpack(packed(name), compression_of(name), 1'000'000);
        });
        EXPECT_EQ(unpack(packed(name), compression_of(name)).size(), 20'000'000U);
    }
}

TEST(Decompress, AFlippedBitIsNoticed) {
    for (const std::string name : {"seq.gz", "seq.zst", "seq-two-members.gz"}) {
        Bytes data = packed(name);
        data[data.size() / 2] ^= 0x10;
        EXPECT_THROW((void)unpack(data, compression_of(name)), Error) << name;
    }
}

TEST(Decompress, AWrongGzipChecksumIsNamed) {
    Bytes data = packed("seq.gz");
    data[data.size() - 8] ^= 1;
    expect_error(ErrorCode::BadFormat, "a wrong checksum or length", [&] {
        (void)unpack(data, Compression::Gzip);
    });
}

TEST(Decompress, AnotherKindIsNamed) {
    expect_error(ErrorCode::BadFormat, "they look like zstd", [] {
        (void)unpack(packed("seq.zst"), Compression::Gzip);
    });
    expect_error(ErrorCode::BadFormat, "they look like gzip", [] {
        (void)unpack(packed("seq.gz"), Compression::Zstd);
    });
}

TEST(Decompress, AWindowOf256MebibytesIsRefused) {
    expect_error(ErrorCode::BadFormat, "more than 128 MiB", [] {
        (void)unpack(packed("wide-window.zst"), Compression::Zstd);
    });
}

}  // namespace
}  // namespace cfs::archive
