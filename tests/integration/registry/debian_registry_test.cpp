// SPDX-License-Identifier: Apache-2.0
// Debian's docker-registry without any guard, directly and over a line that breaks.
#include "debian_registry.hpp"

#include "support/expect_error.hpp"
#include "support/test_relay.hpp"

#include <random>

namespace cfs::net {
namespace {

using test::DebianRegistry;
using test::expect_error;
using test::Mishap;
using test::TestRelay;

class PlainDebianRegistry : public test::DebianRegistryFixture {
 protected:
    void SetUp() override {
        DebianRegistryFixture::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        registry_ = std::make_unique<DebianRegistry>(dir_, root_);
    }

    static std::string host(const TestRelay& relay) {
        return "127.0.0.1:" + std::to_string(relay.port());
    }

    std::size_t size() const { return image_.layers.at(0).size(); }

    std::unique_ptr<DebianRegistry> registry_;
};

TEST_F(PlainDebianRegistry, AnImageIsResolvedAndFetched) {
    const auto source = open(registry_->host());
    const Resolved found = source->resolve(test::kAmd64, {});
    EXPECT_EQ(as_text(found.manifest_bytes), image_.manifest());
    EXPECT_EQ(as_text(found.config_bytes), image_.config());
    const std::uint64_t before = source->bytes_fetched();
    expect_layer(*source);
    EXPECT_EQ(source->bytes_fetched() - before, size());
}

TEST_F(PlainDebianRegistry, WhatIsNotThereIsNotFound) {
    expect_error(ErrorCode::NotFound, "MANIFEST_UNKNOWN", [&] {
        (void)open(registry_->host(), "v9")->resolve(test::kAmd64, {});
    });
    MemorySink sink(4);
    expect_error(ErrorCode::NotFound, "BLOB_UNKNOWN", [&] {
        open(registry_->host())->fetch_blob(test::descriptor_of("none"), sink, {});
    });
}

TEST_F(PlainDebianRegistry, ReferrersAreFoundByTheirTag) {
    const auto found =
        open(registry_->host())->referrers(test::descriptor_of(image_.manifest()).digest, "", {});
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(to_oci(found[0].digest), test::oci_digest(signature_));
    EXPECT_EQ(found[0].artifact_type, "application/vnd.example.signature");
}

TEST_F(PlainDebianRegistry, ACutAtAnyOfFiftyPlacesCostsNothingTwice) {
    std::mt19937 random(1);
    for (int i = 0; i < 50; ++i) {
        // The first connection only finds out that there is no TLS.
        const std::uint64_t place =
            std::uniform_int_distribution<std::uint64_t>(1, size() + 300)(random);
        const TestRelay relay(registry_->port(), [&](unsigned number) {
            return number == 1 ? Mishap{.cut_after = place} : Mishap{};
        });
        const auto source = open(host(relay));
        expect_layer(*source);
        EXPECT_LE(source->bytes_fetched(), size() * 11 / 10) << "cut at " << place;
        EXPECT_LE(relay.bytes_back(), size() * 11 / 10) << "cut at " << place;
    }
}

TEST_F(PlainDebianRegistry, AnySequenceOfCutsCostsNothingTwice) {
    for (const unsigned seed : {1U, 2U, 3U, 4U, 5U}) {
        std::mt19937 random(seed);
        const TestRelay relay(registry_->port(), [&](unsigned number) {
            return number == 0 ? Mishap{}
                               : Mishap{.cut_after = std::uniform_int_distribution<std::uint64_t>(
                                            70'000, 300'000)(random)};
        });
        const auto source = open(host(relay));
        expect_layer(*source);
        EXPECT_GE(relay.connections(), 8U) << "seed " << seed;
        EXPECT_LE(source->bytes_fetched(), size() * 11 / 10) << "seed " << seed;
        EXPECT_LE(relay.bytes_back(), size() * 11 / 10) << "seed " << seed;
    }
}

TEST_F(PlainDebianRegistry, CutsThatNeverLetGetOnAreNamed) {
    const TestRelay relay(registry_->port(), [](unsigned number) {
        return number == 0 ? Mishap{} : Mishap{.cut_after = 1000};
    });
    const auto source = open(host(relay));
    MemorySink sink(size());
    expect_error(ErrorCode::Network, "after 4 attempts", [&] {
        source->fetch_blob(test::descriptor_of(image_.layers.at(0)), sink, {});
    });
}

TEST_F(PlainDebianRegistry, AStallIsContinued) {
    options_.low_speed_time = std::chrono::seconds(1);
    const TestRelay relay(registry_->port(), [](unsigned number) {
        return number == 1 ? Mishap{.stall_after = 500'000} : Mishap{};
    });
    const auto source = open(host(relay));
    expect_layer(*source);
    EXPECT_EQ(source->bytes_fetched(), size());
}

TEST_F(PlainDebianRegistry, ItsBlobsComeFromAMirrorThatIsOne) {
    options_.registries_conf = dir_ / "registries.conf";
    dir_.write("registries.conf",
               "[[registry]]\nlocation = \"127.0.0.1:1\"\n[[registry.mirror]]\nlocation = \"" +
                   registry_->host() + "\"\n");
    const auto source = open("127.0.0.1:1");
    EXPECT_EQ(as_text(source->resolve(test::kAmd64, {}).manifest_bytes), image_.manifest());
    expect_layer(*source);
}

}  // namespace
}  // namespace cfs::net
