// SPDX-License-Identifier: Apache-2.0
#include "image/xxh32.hpp"

#include <gtest/gtest.h>

#include <string>

namespace cfs::image {
namespace {

// Published values of the reference implementation.
TEST(Xxh32, OfNothingIsTheKnownValue) {
    EXPECT_EQ(xxh32({}, 0), 0x02CC5D05u);
}

TEST(Xxh32, OfNothingWithASeedIsTheKnownValue) {
    EXPECT_EQ(xxh32({}, 0x9E3779B1u), 0x36B78AE7u);
}

TEST(Xxh32, OfThreeLettersIsTheKnownValue) {
    EXPECT_EQ(xxh32(as_bytes("abc"), 0), 0x32D153FFu);
}

TEST(Xxh32, OfMoreThanOneStripeIsTheKnownValue) {
    EXPECT_EQ(xxh32(as_bytes("Nobody inspects the spammish repetition"), 0), 0xE2293B2Fu);
}

}  // namespace
}  // namespace cfs::image
