// SPDX-License-Identifier: Apache-2.0
#include "update/compose.hpp"

#include "base/error.hpp"
#include "base/limits.hpp"

#include <gtest/gtest.h>

namespace cfs::update {
namespace {

TEST(ImageSize, EndsWhereTheCollectorStopsReading) {
    EXPECT_NO_THROW(require_image_size(0));
    EXPECT_NO_THROW(require_image_size(kMaxImageBytes));
    try {
        require_image_size(std::uint64_t{kMaxImageBytes} + 1);
        FAIL() << "accepted";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::Unsupported);
        EXPECT_NE(std::string(e.what()).find("2147483649"), std::string::npos) << e.what();
        EXPECT_FALSE(e.hint().empty());
    }
}

}  // namespace
}  // namespace cfs::update
