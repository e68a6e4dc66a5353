// SPDX-License-Identifier: Apache-2.0
// The initrd writes without a JSON library what the daemon reads with one: the daemon is the judge.
#include "initrd/record.hpp"

#include "base/fs_at.hpp"
#include "support/temp_dir.hpp"
#include "update/json.hpp"
#include "update/machine.hpp"
#include "update/state_dir.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace cfs::initrd {
namespace {

using test::TempDir;

const std::string kHex(128, 'a');

BootRecord boot_record() {
    BootRecord out;
    out.digest = *Digest::from_hex(kHex);
    out.measured = true;
    out.verity = true;
    out.config.var = MountKind::Transient;
    out.cmdline = "quiet \"a b\" \\ \t\x01\xff x";
    return out;
}

TEST(BootRecordFile, IsWhatTheDaemonTakesForBooted) {
    const TempDir dir;
    settings::Settings settings;
    settings.run = dir / "run";
    settings.cmdline = dir / "cmdline";
    dir.write("cmdline", "composefs=" + std::string(128, 'b'));
    write_boot_record(settings.run, boot_record());
    EXPECT_EQ(update::booted_image(settings), *Digest::from_hex(kHex));
    remove_boot_record(settings.run);
    EXPECT_EQ(update::booted_image(settings), *Digest::from_hex(std::string(128, 'b')));
    remove_boot_record(settings.run);
    remove_boot_record(dir / "nowhere");
}

TEST(BootRecordFile, SaysWhatIsMounted) {
    const auto object = update::parse_object(to_json(boot_record()));
    ASSERT_TRUE(object);
    EXPECT_EQ(update::get_number(*object, "schema"), 1U);
    EXPECT_EQ(update::get_string(*object, "digest"), kHex);
    EXPECT_TRUE(object->at("measured").as_bool());
    EXPECT_EQ(update::get_string(*object, "verity"), "require");
    EXPECT_EQ(update::get_string(*object, "etc"), "bind");
    EXPECT_EQ(update::get_string(*object, "var"), "transient");
    EXPECT_EQ(update::get_string(*object, "root"), "image");
    // A byte that is no ASCII is the character of that number.
    EXPECT_EQ(update::get_string(*object, "cmdline"), "quiet \"a b\" \\ \t\x01\xc3\xbf x");
}

TEST(BootRecordFile, ReplacesWhatAnEarlierStartLeft) {
    const TempDir dir;
    BootRecord record = boot_record();
    write_boot_record(dir / "run", record);
    record.verity = false;
    write_boot_record(dir / "run", record);
    EXPECT_NE(dir.read("run/booted.json").find("\"verity\":\"none\""), std::string::npos);
    EXPECT_EQ(std::filesystem::status(dir / "run").permissions(),
              std::filesystem::perms::owner_all);
}

FailureRecord failure() {
    FailureRecord out;
    out.code = ErrorCode::DigestMismatch;
    out.message = "the image measures x";
    out.hint = "boot \"another\" entry";
    out.details = "kernel: one\nkernel: two\n";
    out.time = 1'700'000'000;
    return out;
}

TEST(BootFailureFile, IsTheDaemonsLastError) {
    const TempDir dir;
    const update::StateDir state(dir.fd(), true);
    write_failure(dir.fd(), failure());
    const auto found = state.last_error();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "DigestMismatch");
    EXPECT_EQ(found->message, failure().message);
    EXPECT_EQ(found->hint, failure().hint);
    EXPECT_EQ(found->details, failure().details);
    EXPECT_EQ(found->time, failure().time);
}

TEST(BootFailureFile, IsLeftOnNoOthersDisk) {
    const TempDir dir;
    write_failure(dir.fd(), failure());
    EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(BootFailureFile, MakesThePrivateFolder) {
    const TempDir dir;
    std::filesystem::create_directory(dir / "state");
    write_failure(dir.fd(), failure());
    const auto mode = std::filesystem::status(dir / "state/cfsupdated").permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_all);
}

}  // namespace
}  // namespace cfs::initrd
