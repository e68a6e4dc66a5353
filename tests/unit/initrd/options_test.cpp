// SPDX-License-Identifier: Apache-2.0
#include "initrd/options.hpp"

#include "support/expect_error.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

namespace cfs::initrd {
namespace {

Options parse(std::initializer_list<const char*> words) {
    std::vector<const char*> argv = {"cfs-prepare-root"};
    argv.insert(argv.end(), words);
    return parse_options(static_cast<int>(argv.size()), argv.data());
}

TEST(InitrdOptions, DefaultsAreTheInitrdsPlaces) {
    const Options out = parse({});
    EXPECT_EQ(out.sysroot, "/sysroot");
    EXPECT_EQ(out.cmdline, "/proc/cmdline");
    EXPECT_EQ(out.run, "/run/cfsupdated");
    EXPECT_EQ(out.efivars, "/sys/firmware/efi/efivars");
    EXPECT_TRUE(out.in_place());
    EXPECT_FALSE(out.reboot);
}

TEST(InitrdOptions, TakesAValueBehindOrInTheWord) {
    const Options out =
        parse({"--sysroot", "/a", "--target=/b", "--proc-cmdline", "/c=d", "--run=/e", "--reboot"});
    EXPECT_EQ(out.sysroot, "/a");
    EXPECT_EQ(out.target, "/b");
    EXPECT_FALSE(out.in_place());
    EXPECT_EQ(out.cmdline, "/c=d");
    EXPECT_EQ(out.run, "/e");
    EXPECT_TRUE(out.reboot);
}

TEST(InitrdOptions, RefusesWhatItDoesNotKnow) {
    using test::expect_error;
    expect_error(ErrorCode::InvalidArgs, "'--sysroots'", [] { (void)parse({"--sysroots", "/a"}); });
    expect_error(ErrorCode::InvalidArgs, "'/a'", [] { (void)parse({"/a"}); });
    expect_error(
        ErrorCode::InvalidArgs, "--sysroot wants a path", [] { (void)parse({"--sysroot"}); });
    expect_error(ErrorCode::InvalidArgs, "--run wants a path", [] { (void)parse({"--run="}); });
    expect_error(ErrorCode::InvalidArgs, "'--reboot=no'", [] { (void)parse({"--reboot=no"}); });
}

}  // namespace
}  // namespace cfs::initrd
