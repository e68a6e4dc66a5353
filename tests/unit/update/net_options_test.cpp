// SPDX-License-Identifier: Apache-2.0
#include "update/source.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace cfs::update {
namespace {

TEST(NetOptionsOfSettings, SystemdsCredentialComesFirst) {
    settings::Settings settings;
    settings.net.auth_files = {"/a.json", "/b.json"};
    ASSERT_EQ(::unsetenv("CREDENTIALS_DIRECTORY"), 0);
    EXPECT_EQ(net_options(settings).auth_files, settings.net.auth_files);
    ASSERT_EQ(::setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1), 0);
    EXPECT_EQ(net_options(settings).auth_files,
              (std::vector<std::string>{
                  "/run/credentials/x/cfsupdated.auth.json", "/a.json", "/b.json"}));
    ASSERT_EQ(::unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

}  // namespace
}  // namespace cfs::update
