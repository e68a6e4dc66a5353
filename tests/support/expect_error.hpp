// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace cfs::test {

/// `f` must throw `code` with `part` in its message; returns the whole message.
template <typename F>
std::string expect_error(ErrorCode code, std::string_view part, F&& f) {
    try {
        f();
    } catch (const Error& e) {
        EXPECT_EQ(to_string(e.code()), to_string(code)) << e.what();
        EXPECT_NE(std::string_view(e.what()).find(part), std::string_view::npos)
            << "message: " << e.what() << "\nlacks:   " << part;
        return e.what();
    }
    ADD_FAILURE() << "nothing was thrown; expected " << to_string(code) << " with: " << part;
    return {};
}

}  // namespace cfs::test
