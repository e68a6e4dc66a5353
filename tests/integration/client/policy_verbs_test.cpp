// SPDX-License-Identifier: Apache-2.0
#include "bus_site.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace cfs::test {
namespace {

class PolicyVerbs : public testing::Test {
 protected:
    void SetUp() override { site_.start_daemon(); }

    BusSite site_;
};

TEST_F(PolicyVerbs, PolicyIsShownAndWrongKeysAreRefused) {
    const Ended shown = site_.call({"policy", "show"});
    EXPECT_EQ(shown.code, 0) << shown.err;
    EXPECT_NE(shown.out.find("  automatic           \"stage\"\n"), std::string::npos) << shown.out;
    const boost::json::value json =
        boost::json::parse(site_.call({"policy", "show", "--json"}).out);
    EXPECT_EQ(json.at("schema").as_int64(), 1);
    EXPECT_EQ(json.at("policy").at("battery_least").to_number<int>(), 40);
    EXPECT_TRUE(json.at("policy").at("windows").as_array().empty());
    EXPECT_TRUE(json.at("set").as_array().empty());
    const Ended wrong = site_.call({"policy", "set", "nonsense", "1"});
    EXPECT_EQ(wrong.code, 1);
    EXPECT_NE(wrong.err.find("policy key 'nonsense' is not known"), std::string::npos) << wrong.err;
    EXPECT_EQ(site_.call({"policy", "set", "windows", "whenever"}).code, 1);
    EXPECT_EQ(site_.call({"policy", "set", "idle", "never", "always"}).code, 1);
}

TEST_F(PolicyVerbs, AnAutomaticUpdateBeginsWithACheck) {
    const Ended update = site_.call({"update", "--automatic", "--json"});
    EXPECT_EQ(update.code, 0) << update.err;
    EXPECT_EQ(boost::json::parse(update.out).at("update_available").as_bool(), true) << update.out;
}

}  // namespace
}  // namespace cfs::test
