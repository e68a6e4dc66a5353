// SPDX-License-Identifier: Apache-2.0
// What KDE Discover does, call by call.
#include "adapter_site.hpp"

#include <gtest/gtest.h>

namespace cfs::test {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;
using Targets = std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>>;

/// The patience of its D-Bus library.
constexpr auto kPatience = 25s;

/// Prints a file as a strict parser sees it: the component's type, id and name, its bundle, and of
/// each release the version and address.
std::string read_metadata(const std::string& path) {
    const Ended ended = run({"python3",
                             "-c",
                             R"(
import sys, xml.etree.ElementTree as ET
root = ET.parse(sys.argv[1]).getroot()
bundle = root.find("bundle")
print(root.tag, root.get("type"), root.findtext("id"), "|", root.findtext("name"), "|",
      root.findtext("summary") != "", bundle.get("type"), bundle.text)
for release in root.find("releases"):
    print(release.get("version"), release.get("timestamp"), release.findtext("url"))
)",
                             path});
    EXPECT_EQ(ended.code, 0) << ended.err;
    return ended.out;
}

TEST(Discover, UpdatesTheSystem) {
    AdapterSite site;
    site.publish("2", "https://example.org/2?a=1&b=2");
    site.start_daemon();
    site.start_adapter();
    Center center(site.address());
    center.call<>(kPatience, sysupdate::kManagerPath, "org.freedesktop.DBus.Peer", "Ping");
    const auto targets = std::get<0>(
        center.call<Targets>(kPatience, sysupdate::kManagerPath, kManager, "ListTargets"));
    ASSERT_EQ(targets.size(), 1U);
    const auto urls = center.ask<Strings>(kPatience, "GetAppStream");
    ASSERT_EQ(urls.size(), 1U) << "without it Discover leaves the target out";
    ASSERT_TRUE(urls[0].starts_with("file:///")) << urls[0];
    const std::string file = urls[0].substr(7);
    EXPECT_NE(read_metadata(file).find("| Test OS 1 | True sysupdate host\n1 1700000000 None\n"),
              std::string::npos)
        << read_metadata(file);
    EXPECT_EQ(center.ask<std::string>(kPatience, "GetVersion"), "1");
    const auto found = center.ask<std::string>(kPatience, "CheckNew");
    ASSERT_EQ(found, "2");
    EXPECT_NE(read_metadata(file).find("\n2 1700000100 https://example.org/2?a=1&b=2\n"),
              std::string::npos)
        << "the release with the new version has the changes: " << read_metadata(file);
    const auto json = center.ask<std::string>(kPatience, "Describe", found, std::uint64_t{0});
    EXPECT_NE(json.find(R"("changelogUrls":["https://example.org/2?a=1&b=2"])"), std::string::npos)
        << json;
    const auto job = center.start("Update", found);
    EXPECT_EQ(job.version, "2");
    const auto end = center.wait_for_end(job.path);
    EXPECT_EQ(end.removed, 0);
    EXPECT_EQ(end.id, job.id) << "it matches by the id";
    EXPECT_EQ(std::get<0>(center.call<sdbus::Variant>(kPatience,
                                                      job.path.c_str(),
                                                      kProperties,
                                                      "Get",
                                                      std::string(kJob),
                                                      std::string("Progress")))
                  .get<std::uint32_t>(),
              100U);
}

// An error here would leave it looking for ever.
TEST(Discover, ListsTargetsWithoutADaemon) {
    AdapterSite site;
    site.start_adapter();
    Center center(site.address());
    EXPECT_EQ(
        std::get<0>(center.call<Targets>(1s, sysupdate::kManagerPath, kManager, "ListTargets"))
            .size(),
        1U);
    EXPECT_EQ(center.ask<Strings>(1s, "GetAppStream").size(), 1U);
    EXPECT_NE(site.metadata().find("<component type=\"operating-system\">"), std::string::npos);
    EXPECT_EQ(
        std::get<0>(center.call<Strings>(1s, sysupdate::kManagerPath, kManager, "ListAppStream"))
            .size(),
        1U);
    EXPECT_NE(error_of([&] { center.ask<std::string>(1s, "GetVersion"); }), "");
}

TEST(Discover, IsToldWhyAnUpdateFailed) {
    AdapterSite site;
    site.publish("2");
    site.set_update([](update::ProgressSink&, const std::stop_token&) {
        throw Error(ErrorCode::NoSpace, "the disk is full");
    });
    site.start_daemon();
    site.start_adapter();
    Center center(site.address());
    const auto job = center.start("Update", "");
    EXPECT_EQ(center.wait_for_end(job.path).removed, -ENOSPC);
    EXPECT_LT(center.properties(job.path, kJob).at("Progress").get<std::uint32_t>(), 100U);
}

}  // namespace
}  // namespace cfs::test
