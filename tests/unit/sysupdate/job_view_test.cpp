// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/details.hpp"
#include "client/sysupdate/job_object.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace cfs::sysupdate {
namespace {

client::JobState at(const std::string& stage, std::uint64_t done = 0, std::uint64_t total = 0) {
    client::JobState state;
    state.state = "running";
    state.stage = stage;
    state.bytes_done = done;
    state.bytes_total = total;
    return state;
}

TEST(SysupdateJob, FetchingIsMostOfIt) {
    EXPECT_EQ(percent_of(at("")), 0U);
    EXPECT_EQ(percent_of(at("check")), 0U);
    EXPECT_EQ(percent_of(at("fetch")), 0U) << "of nothing known";
    EXPECT_EQ(percent_of(at("fetch", 1, 2)), 40U);
    EXPECT_EQ(percent_of(at("fetch", 2, 2)), 80U);
    EXPECT_EQ(percent_of(at("fetch", 9, 2)), 80U) << "whatever it says";
    EXPECT_EQ(percent_of(at("fetch", ~std::uint64_t{0}, ~std::uint64_t{0})), 80U);
    std::uint32_t last = 0;
    for (const char* stage : {"compose", "verify", "stage", "finalize"}) {
        EXPECT_GE(percent_of(at(stage)), last);
        last = percent_of(at(stage));
        EXPECT_LT(last, 100U);
    }
    auto done = at("finalize");
    done.state = "done";
    EXPECT_EQ(percent_of(done), 100U);
}

TEST(SysupdateJob, TheStatusIsZeroOrSaysWhy) {
    EXPECT_EQ(status_of("done", ""), 0);
    EXPECT_EQ(status_of("cancelled", "Cancelled"), -ECANCELED);
    EXPECT_EQ(status_of("lost", ""), -ECONNRESET);
    EXPECT_EQ(status_of("failed", "NoSpace"), -ENOSPC);
    EXPECT_EQ(status_of("failed", "Network"), -EHOSTUNREACH);
    EXPECT_EQ(status_of("failed", "Something"), 1);
    EXPECT_EQ(status_of("a word of later", ""), 1);
}

TEST(SysupdateJob, WhatDialogsShowIsOneLine) {
    const auto shown = details("2\n\x1b", true);
    EXPECT_EQ(shown.at("version"), "2??");
    EXPECT_EQ(shown.at("offline"), "1");
    EXPECT_EQ(shown.at("class"), "host");
    EXPECT_EQ(shown.at("name"), "host");
    EXPECT_FALSE(details("", false).contains("version"));
}

}  // namespace
}  // namespace cfs::sysupdate
