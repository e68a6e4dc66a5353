// SPDX-License-Identifier: Apache-2.0
// A blob whose transfer ended with its process is continued by the next one.
#include "registry_fixture.hpp"
#include "support/temp_dir.hpp"

#include <filesystem>
#include <random>

namespace cfs::net {
namespace {

using test::expect_error;
using test::Fault;

class RegistryResumeTest : public test::RegistryFixture {
 protected:
    RegistryResumeTest() {
        options_.keep = {.dir = dir_ / "blobs", .least = 1, .most = std::uint64_t{1} << 30};
        options_.max_attempts = 1;
    }

    /// One life of a client whose transfer ends early. `fetch` is another life.
    void cut(std::uint64_t after, Fault fault = {}) {
        fault.path = "/blobs/";
        fault.times = 1;
        fault.close_after = after;
        registry_.clear_faults();
        registry_.add_fault(fault);
        expect_error(ErrorCode::Network, "/blobs/", [&] { (void)fetch(content_); });
        registry_.clear_faults();
    }

    [[nodiscard]] std::string last_range() const {
        const auto headers = registry_.requests().back().headers;
        const auto found = headers.find("range");
        return found == headers.end() ? "" : found->second;
    }

    test::TempDir dir_;
    std::string content_ = big_blob(3'000'000);
};

TEST_F(RegistryResumeTest, GoesOnWhereTheLastProcessStopped) {
    cut(1'234'567);
    EXPECT_EQ(open()->kept_bytes(test::descriptor_of(content_)), 1'234'567U);
    EXPECT_EQ(fetch(content_), content_);
    EXPECT_EQ(last_range(), "bytes=1234567-");
    EXPECT_EQ(source_->bytes_fetched(), content_.size() - 1'234'567);
    EXPECT_EQ(registry_.body_bytes_sent(), content_.size());
}

TEST_F(RegistryResumeTest, ManyLivesNeedTheBlobOnce) {
    std::mt19937 random(3);
    for (std::uint64_t left = content_.size(); left > 200'000;) {
        const auto step = std::uniform_int_distribution<std::uint64_t>(1, 200'000)(random);
        cut(step);
        left -= step;
    }
    EXPECT_EQ(fetch(content_), content_);
    EXPECT_EQ(registry_.body_bytes_sent(), content_.size());
}

TEST_F(RegistryResumeTest, ACancelledTransferIsContinued) {
    registry_.add_fault({.path = "/blobs/", .times = 1, .stall_after = 2'000'000});
    struct StopAtTheEnd final : Sink {
        void write(ByteView data) override {
            size += data.size();
            if (size >= 2'000'000) stop.request_stop();
        }

        std::uint64_t size = 0;
        std::stop_source stop;
    } sink;
    source_ = open();
    expect_error(ErrorCode::Cancelled, "", [&] {
        source_->fetch_blob(test::descriptor_of(content_), sink, sink.stop.get_token());
    });
    EXPECT_EQ(fetch(content_), content_);
    EXPECT_LE(source_->bytes_fetched(), content_.size() - 1'900'000);
}

TEST_F(RegistryResumeTest, WrongBytesFromBeforeAreFoundAtTheEndAndForgotten) {
    cut(1'000'000, {.flip_byte = 5});
    expect_error(ErrorCode::DigestMismatch, "", [&] { (void)fetch(content_); });
    EXPECT_TRUE(std::filesystem::is_empty(options_.keep.dir));
    EXPECT_EQ(fetch(content_), content_);
}

TEST_F(RegistryResumeTest, ARegistryWithoutRangesIsReadFromTheStart) {
    cut(1'000'000);
    registry_.add_fault({.path = "/blobs/", .ignore_range = true});
    EXPECT_EQ(fetch(content_), content_);
    EXPECT_EQ(source_->bytes_fetched(), content_.size());
}

TEST_F(RegistryResumeTest, AWholeBlobIsKeptUntilItIsForgotten) {
    EXPECT_EQ(fetch(content_), content_);
    EXPECT_EQ(fetch(content_), content_);
    EXPECT_EQ(source_->bytes_fetched(), 0U);
    source_->forget(test::descriptor_of(content_));
    EXPECT_EQ(source_->kept_bytes(test::descriptor_of(content_)), 0U);
    EXPECT_EQ(fetch(content_), content_);
    EXPECT_EQ(source_->bytes_fetched(), content_.size());
}

TEST_F(RegistryResumeTest, ASinkThatFailsCostsAMarksDistanceAtMost) {
    struct Full final : Sink {
        void write(ByteView data) override {
            if ((size += data.size()) > 2'500'000) throw Error(ErrorCode::NoSpace, "full");
        }

        std::uint64_t size = 0;
    } sink;
    source_ = open();
    expect_error(ErrorCode::NoSpace, "full", [&] {
        source_->fetch_blob(test::descriptor_of(content_), sink, {});
    });
    EXPECT_EQ(fetch(content_), content_);
    EXPECT_LE(source_->bytes_fetched(), content_.size() - (std::size_t{1} << 20));
}

}  // namespace
}  // namespace cfs::net
