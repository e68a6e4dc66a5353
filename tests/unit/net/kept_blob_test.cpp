// SPDX-License-Identifier: Apache-2.0
// What is kept of an interrupted blob: how far it is believed after every kind of end.
#include "net/kept_blob.hpp"

#include "crypto/hasher.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"
#include "test_image.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

namespace cfs::net {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMiB = std::size_t{1} << 20;

class KeptBlobTest : public testing::Test {
 protected:
    KeptBlobTest() {
        std::mt19937 random(5);
        for (char& c : content_)
            c = static_cast<char>(random());
        blob_ = test::descriptor_of(content_);
        options_.dir = dir_ / "blobs";
        options_.least = 1;
        options_.most = content_.size();
    }

    [[nodiscard]] std::unique_ptr<KeptBlob> open() const {
        return KeptBlob::open(options_, blob_, {});
    }

    /// The next bytes, as a transfer brings them: marked as often as it is asked for.
    void append(KeptBlob& kept, std::size_t count) const {
        for (std::size_t left = count; left > 0;) {
            const std::size_t at = kept.size();
            const std::size_t step = std::min<std::size_t>(left, 10'000);
            kept.append(as_bytes(std::string_view(content_).substr(at, step)));
            left -= step;
            if (kept.wants_mark()) mark(kept);
        }
    }

    void mark(KeptBlob& kept) const {
        kept.mark(hash(blob_.digest.algorithm(), as_bytes(content_.substr(0, kept.size()))));
    }

    /// One process: appends, and vouches for the last bytes only when it ends in order.
    void keep(std::size_t count, bool in_order) const {
        const auto kept = open();
        ASSERT_TRUE(kept);
        append(*kept, count);
        if (in_order) mark(*kept);
    }

    void expect_kept(std::size_t size) const {
        const auto kept = open();
        ASSERT_TRUE(kept);
        EXPECT_EQ(kept->size(), size);
        MemorySink out(content_.size());
        kept->replay(out, {});
        EXPECT_TRUE(as_text(out.bytes()) == content_.substr(0, size));
    }

    [[nodiscard]] std::string file(const char* ending) const {
        return options_.dir + "/sha256-" + blob_.digest.hex() + ending;
    }

    void flip(const std::string& path, std::uint64_t at) const {
        std::fstream io(path, std::ios::in | std::ios::out | std::ios::binary);
        io.seekg(static_cast<std::streamoff>(at));
        const char c = static_cast<char>(io.get() ^ 1);
        io.seekp(static_cast<std::streamoff>(at));
        io.put(c);
        ASSERT_TRUE(io.good());
    }

    test::TempDir dir_;
    std::string content_ = std::string(4 * kMiB, '\0');
    Descriptor blob_;
    KeepOptions options_;
};

TEST_F(KeptBlobTest, EverythingIsThereAfterAnEndInOrder) {
    keep(1'234'567, true);
    expect_kept(1'234'567);
    EXPECT_EQ(kept_size(options_, blob_), 1'234'567U);
    keep(content_.size() - 1'234'567, true);
    expect_kept(content_.size());
}

TEST_F(KeptBlobTest, AtMostAMarksDistanceIsLostByAKill) {
    keep(3'700'000, false);
    const std::uint64_t believed = kept_size(options_, blob_);
    EXPECT_GE(believed, 3'700'000 - kMiB - 10'000);
    EXPECT_LT(believed, 3'700'000U);
    expect_kept(believed);
}

TEST_F(KeptBlobTest, AFlippedByteCostsWhatIsBehindTheMarkBeforeIt) {
    keep(3'700'000, true);
    flip(file(".part"), 2'500'000);
    const auto kept = open();
    ASSERT_TRUE(kept);
    EXPECT_LE(kept->size(), 2'500'000U);
    EXPECT_GE(kept->size(), 2'500'000 - kMiB - 10'000);
}

TEST_F(KeptBlobTest, LostTailsAreNoticed) {
    keep(3'700'000, true);
    fs::resize_file(file(".part"), 3'000'000);  // a power cut
    EXPECT_EQ(kept_size(options_, blob_), 0U) << "the last mark does not fit";
    const auto kept = open();
    ASSERT_TRUE(kept);
    EXPECT_LE(kept->size(), 3'000'000U);
    EXPECT_GE(kept->size(), 3'000'000 - kMiB - 10'000);
}

TEST_F(KeptBlobTest, WithoutMarksNothingIsBelieved) {
    keep(2'000'000, true);
    fs::remove(file(".marks"));
    EXPECT_EQ(kept_size(options_, blob_), 0U);
    expect_kept(0);
}

/// Whatever the two files hold, what is given is the start of the blob.
TEST_F(KeptBlobTest, DamageIsNeverPassedOn) {
    std::mt19937 random(11);
    const auto pick = [&](std::uint64_t below) {
        return std::uniform_int_distribution<std::uint64_t>(0, below - 1)(random);
    };
    for (int i = 0; i < 60; ++i) {
        fs::remove_all(options_.dir);
        keep(1 + pick(content_.size()), pick(2) == 0);
        for (const char* ending : {".part", ".marks"}) {
            const std::uint64_t size = fs::file_size(file(ending));
            if (size == 0) continue;
            const std::uint64_t kind = pick(4);
            if (kind == 0) fs::resize_file(file(ending), pick(size));
            if (kind == 1) flip(file(ending), pick(size));
            if (kind == 2) fs::resize_file(file(ending), size + pick(100'000));  // zeros
        }
        const auto kept = open();
        ASSERT_TRUE(kept);
        MemorySink out(content_.size());
        kept->replay(out, {});
        ASSERT_TRUE(content_.compare(0, out.bytes().size(), as_text(out.bytes())) == 0) << i;
        ASSERT_EQ(out.bytes().size(), kept->size());
    }
}

TEST_F(KeptBlobTest, OnlyOneKeepsTheSameBlob) {
    const auto one = open();
    ASSERT_TRUE(one);
    EXPECT_FALSE(open());
}

TEST_F(KeptBlobTest, SmallOnesAndNonesAreNotKept) {
    options_.least = content_.size() + 1;
    EXPECT_FALSE(open());
    options_.least = 1;
    options_.most = 0;
    EXPECT_FALSE(open());
    options_.dir.clear();
    options_.most = 1;
    EXPECT_FALSE(open());
    EXPECT_EQ(kept_size(options_, blob_), 0U);
}

TEST_F(KeptBlobTest, NoMoreIsKeptThanAllowed) {
    options_.most = 1'500'000;
    keep(2'000'000, false);
    const auto kept = open();
    ASSERT_TRUE(kept);
    EXPECT_LE(kept->size(), 1'500'000U);
    EXPECT_LE(fs::file_size(file(".part")), 1'500'000U);
}

TEST_F(KeptBlobTest, AFullDiskGivesTheRoomBackAndFailsNothing) {
    (void)std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit small{2'000'000, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    {
        const auto kept = open();
        ASSERT_TRUE(kept);
        for (int i = 0; i < 300; ++i)
            kept->append(as_bytes(content_.substr(kept->size(), 10'000)));
        EXPECT_LT(kept->size(), 2'000'001U);
    }
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_FALSE(fs::exists(file(".part")));
}

/// Little room is a case of tests/integration/fault, which has small disks.
TEST_F(KeptBlobTest, AtMostA64thOfTheDiskIsLeftToOthers) {
    options_.keep_free = ~std::uint64_t{0};
    keep(2'000'000, true);
    expect_kept(2'000'000);
}

TEST_F(KeptBlobTest, OthersAreThrownAway) {
    keep(2'000'000, true);
    std::ofstream(options_.dir + "/sha256-0000.part") << "of an older image";
    prune_kept(options_, {&blob_, 1});
    EXPECT_EQ(std::distance(fs::directory_iterator(options_.dir), {}), 2);
    expect_kept(2'000'000);
    forget_kept(options_, blob_);
    EXPECT_TRUE(fs::is_empty(options_.dir));
    forget_kept(options_, blob_);
    options_.dir += "/none";
    prune_kept(options_, {});
}

}  // namespace
}  // namespace cfs::net
