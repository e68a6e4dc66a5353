// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/appstream.hpp"

#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace cfs::sysupdate {
namespace {

TEST(SysupdateAppstream, ReadsOsRelease) {
    const OsRelease system = read_os_release(
        "# a comment\nID=debian\nNAME=\"Debian \\\"GNU\\\"\"\nPRETTY_NAME='It'\\''s $HOME'\n"
        "no line\n=x\nEMPTY=\nHOME_URL=https://example.org/\nID_LIKE=\"a");
    EXPECT_EQ(system.at("ID"), "debian");
    EXPECT_EQ(system.at("NAME"), "Debian \"GNU\"");
    EXPECT_EQ(system.at("PRETTY_NAME"), "It's $HOME");
    EXPECT_EQ(system.at("EMPTY"), "");
    EXPECT_EQ(system.at("ID_LIKE"), "a");
    EXPECT_FALSE(system.contains(""));
    EXPECT_FALSE(system.contains("# a comment"));
}

TEST(SysupdateAppstream, IsAComponentWithReleases) {
    Known known;
    Version version;
    version.name = "2";
    version.time = 1'700'000'000;
    version.changelog_url = "https://example.org/?a=1&b=2";
    known.versions = {version};
    EXPECT_EQ(
        metadata(known, "Example 1", {{"ID", "example"}, {"HOME_URL", "https://example.org"}}),
        R"(<?xml version="1.0" encoding="UTF-8"?>
<component type="operating-system">
  <id>org.example.example</id>
  <name>Example 1</name>
  <summary>The operating system of this computer</summary>
  <metadata_license>FSFAP</metadata_license>
  <url type="homepage">https://example.org</url>
  <bundle type="sysupdate">host</bundle>
  <releases>
    <release type="stable" version="2" timestamp="1700000000">
      <url type="details">https://example.org/?a=1&amp;b=2</url>
    </release>
  </releases>
</component>
)");
}

TEST(SysupdateAppstream, TheIdIsThatOfTheOperatingSystem) {
    const auto id = [](const OsRelease& system) {
        const std::string text = metadata({}, "", system);
        const std::size_t start = text.find("<id>") + 4;
        return text.substr(start, text.find("</id>") - start);
    };
    EXPECT_EQ(id({{"ID", "debian"}, {"HOME_URL", "https://www.debian.org/"}}), "org.debian.debian");
    EXPECT_EQ(id({{"ID", "x"}, {"HOME_URL", "http://os.example.org:80?q"}}), "org.example.os.x");
    EXPECT_EQ(id({{"ID", "x"}, {"HOME_URL", "https://localhost/"}}), "local.x");
    EXPECT_EQ(id({}), "local.linux");
}

TEST(SysupdateAppstream, EscapesWhateverItIsGiven) {
    Known known;
    Version version;
    version.name = "\"/><x y='&";
    known.versions = {version};
    const std::string text = metadata(
        known, "a\x01<b>\xff\xef\xbf\xbe", {{"ID", "../<i>"}, {"HOME_URL", "javascript:x"}});
    EXPECT_NE(text.find("<id>local...__i_</id>"), std::string::npos) << text;
    EXPECT_NE(text.find("<name>a?&lt;b&gt;\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd</name>"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("version=\"&quot;/&gt;&lt;x y=&apos;&amp;\""), std::string::npos) << text;
    EXPECT_EQ(text.find("javascript"), std::string::npos);
    EXPECT_EQ(text.find('\x01'), std::string::npos);
}

TEST(SysupdateAppstream, AddressesOfFilesAreEncoded) {
    EXPECT_EQ(file_url("/run/a b/ü%.xml"), "file:///run/a%20b/%C3%BC%25.xml");
}

TEST(SysupdateAppstream, WritesTheFileForEverybodyAndAgainWhenItIsGone) {
    const test::TempDir dir;
    MetadataFile file(dir / "run", {{"NAME", "Example"}});
    file.show(nullptr);
    EXPECT_NE(dir.read("run/host.xml").find("<name>Example</name>"), std::string::npos);
    struct stat before {};
    ASSERT_EQ(::stat((dir / "run/host.xml").c_str(), &before), 0);
    EXPECT_EQ(before.st_mode & 07777, 0644U);
    file.show(nullptr);
    struct stat after {};
    ASSERT_EQ(::stat((dir / "run/host.xml").c_str(), &after), 0);
    EXPECT_EQ(after.st_ino, before.st_ino) << "nothing new, nothing written";
    ASSERT_EQ(::unlink((dir / "run/host.xml").c_str()), 0);
    file.show(nullptr);
    EXPECT_NE(dir.read("run/host.xml"), "");
    client::Status status;
    status.booted.emplace().title = "Example 2";
    file.show(&status);
    EXPECT_NE(dir.read("run/host.xml").find("<name>Example 2</name>"), std::string::npos);
    EXPECT_EQ(file.url(), "file://" + dir / "run/host.xml");
}

}  // namespace
}  // namespace cfs::sysupdate
