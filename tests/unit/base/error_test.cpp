// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace cfs {
namespace {

TEST(Error, ContextReadsFromTheOutside) {
    try {
        with_context("fetching layer 2", [] {
            with_context("reading 'x'",
                         [] { throw Error(ErrorCode::Network, "reset", "try again"); });
        });
        FAIL();
    } catch (const Error& e) {
        EXPECT_STREQ(e.what(), "fetching layer 2: reading 'x': reset");
        EXPECT_EQ(e.code(), ErrorCode::Network);
        EXPECT_EQ(e.hint(), "try again");
    }
}

TEST(Error, FullAndReadOnlyDisksHaveTheirOwnNames) {
    const auto code_of = [](int err) {
        try {
            throw_errno(err, "writing 'x'");
        } catch (const Error& e) {
            return e.code();
        }
    };
    EXPECT_EQ(code_of(ENOSPC), ErrorCode::NoSpace);
    EXPECT_EQ(code_of(EROFS), ErrorCode::Io);
    EXPECT_EQ(code_of(EIO), ErrorCode::Io);
    EXPECT_EQ(code_of(ENOENT), ErrorCode::NotFound);
    EXPECT_EQ(code_of(EMFILE), ErrorCode::Internal);
}

TEST(Error, NamesAreReadBack) {
    for (int i = 0; i <= static_cast<int>(ErrorCode::NotYet); ++i) {
        const auto code = static_cast<ErrorCode>(i);
        EXPECT_EQ(error_code_from(to_string(code)), code);
    }
    EXPECT_EQ(error_code_from("FromTheFuture"), ErrorCode::Internal);
}

}  // namespace
}  // namespace cfs
