// SPDX-License-Identifier: Apache-2.0
#include "bus_site.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace cfs::test {
namespace {

TEST(Pending, IsAPredicate) {
    BusSite site;
    site.start_daemon();
    const Ended none = site.call({"pending"});
    EXPECT_EQ(none.code, 2) << none.err;
    EXPECT_EQ(none.out, "no reboot pending: 1 (aaaaaaaaaaaa, booted) is what starts next\n");
    BusSite staged;
    staged.start_daemon("pending");
    const Ended some = staged.call({"pending"});
    EXPECT_EQ(some.code, 0) << some.err;
    EXPECT_EQ(some.out, "reboot pending: 2 (aaaaaaaaaaaa, staged) runs after it\n");
    const boost::json::value value = boost::json::parse(staged.call({"pending", "--json"}).out);
    EXPECT_TRUE(value.at("pending").as_bool());
    EXPECT_EQ(value.at("next").at("version").as_string(), "2");
    EXPECT_TRUE(value.at("locked").is_null());
}

TEST(Pending, WhatIsLockedIsNot) {
    BusSite site;
    site.start_daemon("locked");
    const Ended ended = site.call({"pending"});
    EXPECT_EQ(ended.code, 2) << ended.err;
    EXPECT_NE(ended.out.find("hint: 2 (aaaaaaaaaaaa, staged) is locked; 'cfsctl finalize'"),
              std::string::npos)
        << ended.out;
}

TEST(Pending, WithoutABusIsAnErrorAndNoAnswer) {
    const Ended ended = run({CFS_CFSCTL, "--bus", "unix:path=/nonexistent", "pending"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(ended.out, "");
}

}  // namespace
}  // namespace cfs::test
