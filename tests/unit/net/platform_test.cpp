// SPDX-License-Identifier: Apache-2.0
#include "net/platform.hpp"

#include "support/expect_error.hpp"
#include "test_image.hpp"

#include <gtest/gtest.h>

namespace cfs::net {
namespace {

using test::expect_error;
using test::kAmd64;

Descriptor entry(std::uint64_t size, std::optional<Platform> platform) {
    Descriptor out;
    out.media_type = kOciManifest;
    out.size = size;
    out.platform = std::move(platform);
    return out;
}

TEST(Platform, TheFittingEntryIsChosen) {
    const std::vector<Descriptor> entries{entry(1, Platform{"linux", "arm64", "v8"}),
                                          entry(2, Platform{"windows", "amd64", ""}),
                                          entry(3, Platform{"linux", "amd64", ""}),
                                          entry(4, Platform{"linux", "amd64", ""})};
    EXPECT_EQ(select_platform(entries, kAmd64).size, 3U);
}

TEST(Platform, ALeftOutVariantIsTheUsualOne) {
    const std::vector<Descriptor> entries{entry(1, Platform{"linux", "amd64", "v3"}),
                                          entry(2, Platform{"linux", "arm64", ""}),
                                          entry(3, Platform{"linux", "amd64", "v1"})};
    EXPECT_EQ(select_platform(entries, {"linux", "arm64", "v8"}).size, 2U);
    EXPECT_EQ(select_platform(entries, kAmd64).size, 3U);
}

TEST(Platform, ASingleEntryNeedsNone) {
    EXPECT_EQ(select_platform({entry(7, std::nullopt)}, kAmd64).size, 7U);
}

TEST(Platform, OtherKindsOfEntriesArePassedOver) {
    Descriptor attestation = entry(1, kAmd64);
    attestation.media_type = "application/vnd.in-toto+json";
    EXPECT_EQ(select_platform({attestation, entry(2, std::nullopt)}, kAmd64).size, 2U);
}

TEST(Platform, WhatIsThereIsNamed) {
    const std::vector<Descriptor> entries{entry(1, Platform{"linux", "arm64", ""}),
                                          entry(2, Platform{"linux", "riscv64", ""})};
    expect_error(ErrorCode::NotOurs, "linux/amd64, only for linux/arm64, linux/riscv64", [&] {
        (void)select_platform(entries, kAmd64);
    });
}

TEST(Platform, TheHostHasAGoName) {
    EXPECT_EQ(host_platform().os, "linux");
#if defined(__x86_64__)
    EXPECT_EQ(host_platform().architecture, "amd64");
#elif defined(__aarch64__)
    EXPECT_EQ(to_string(host_platform()), "linux/arm64/v8");
#endif
}

}  // namespace
}  // namespace cfs::net
