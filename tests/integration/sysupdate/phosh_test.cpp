// SPDX-License-Identifier: Apache-2.0
// What Phosh's Mobile Settings do: look at each version, fetch, and install later.
#include "adapter_site.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace cfs::test {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;
using Targets = std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>>;

boost::json::object describe(Center& center, const std::string& version) {
    return boost::json::parse(center.ask<std::string>(10s, "Describe", version, std::uint64_t{0}))
        .as_object();
}

/// The flags that are set, of those that must be there as booleans.
std::string flags(const boost::json::object& version) {
    std::string out;
    for (const char* name : {"newest", "available", "installed", "obsolete", "protected"})
        out += version.at(name).as_bool() ? std::string(out.empty() ? "" : " ") + name : "";
    return out;
}

TEST(Phosh, FetchesFirstAndInstallsLater) {
    AdapterSite site;
    site.publish("2");
    site.start_daemon();
    site.start_adapter();
    Center center(site.address());
    EXPECT_EQ(
        std::get<0>(center.call<Targets>(10s, sysupdate::kManagerPath, kManager, "ListTargets"))
            .size(),
        1U);
    EXPECT_EQ(center.ask<Strings>(10s, "List", std::uint64_t{1}), (Strings{"1"})) << "offline";
    EXPECT_EQ(center.ask<Strings>(10s, "List", std::uint64_t{0}), (Strings{"2", "1"}))
        << "it never calls CheckNew: this asks the registry";
    EXPECT_EQ(center.ask<Strings>(10s, "List", std::uint64_t{1}), (Strings{"1"})) << "offline";
    EXPECT_EQ(error_of([&] { center.ask<std::string>(10s, "Describe", "2", std::uint64_t{1}); }),
              sysupdate::kNoSuchVersion)
        << "offline";
    EXPECT_EQ(flags(describe(center, "2")), "newest available");
    EXPECT_EQ(flags(describe(center, "1")), "newest installed protected");

    const auto fetched = center.start("Acquire", "");
    EXPECT_EQ(fetched.version, "2");
    EXPECT_EQ(center.wait_for_end(fetched.path).removed, 0);
    EXPECT_EQ(center.properties(fetched.path, kJob).at("Type").get<std::string>(), "acquire");
    EXPECT_EQ(flags(describe(center, "2")), "newest available");
    EXPECT_TRUE(describe(center, "2").at("acquired").as_bool());
    EXPECT_EQ(center.ask<std::string>(10s, "GetVersion"), "1") << "nothing is installed so far";
    EXPECT_EQ(center.ask<std::string>(10s, "CheckNew"), "2");
    EXPECT_EQ(error_of([&] { center.start("Acquire", ""); }), sysupdate::kNoCandidate)
        << "it is here: Phosh goes on with Install";

    const auto installed = center.start("Install", "2");
    EXPECT_EQ(installed.version, "2");
    EXPECT_EQ(center.wait_for_end(installed.path).removed, 0);
    const auto job = center.properties(installed.path, kJob);
    EXPECT_EQ(job.at("Type").get<std::string>(), "install");
    EXPECT_TRUE(job.at("Offline").get<bool>());
    EXPECT_EQ(center.ask<std::string>(10s, "GetVersion"), "2");
    EXPECT_EQ(center.ask<std::string>(10s, "CheckNew"), "");
    EXPECT_EQ(flags(describe(center, "2")), "newest installed");
    EXPECT_EQ(flags(describe(center, "1")), "installed obsolete protected");
    EXPECT_EQ(error_of([&] { center.start("Install", ""); }), sysupdate::kNoCandidate);
    EXPECT_EQ(error_of([&] { center.start("Update", ""); }), sysupdate::kNoCandidate);
    std::vector<std::string> jobs;
    for (const std::string& call : site.service.engine.calls()) {
        if (call.find("check") == std::string::npos) jobs.push_back(call.substr(0, 40));
    }
    EXPECT_EQ(jobs, (Strings{"reconcile", "update image= finalize=0 locked digest=s", "finalize"}));
}

// What was fetched is installed without the registry.
TEST(Phosh, InstallsWithADeadRegistry) {
    Door door;  // it outlives who stands in it
    AdapterSite site;
    site.publish("2");
    site.start_daemon();
    site.start_adapter();
    Center center(site.address());
    EXPECT_EQ(center.wait_for_end(center.start("Acquire", "2").path).removed, 0);
    site.set_check([&](update::ProgressSink&, const std::stop_token& stop) { door.pass(stop); });
    // A check that hangs makes room.
    const auto object = center.proxy(sysupdate::kTargetPath);
    bus::call_then(*object, bus::make_call(*object, kTarget, "CheckNew", false), 20s, [](auto) {});
    ASSERT_TRUE(door.wait_until_reached());
    const auto job = center.start("Install", "");
    EXPECT_EQ(center.wait_for_end(job.path).removed, 0);
    EXPECT_EQ(center.ask<std::string>(10s, "GetVersion"), "2");
}

TEST(Phosh, DropsOldVersions) {
    AdapterSite site;
    site.start_daemon();
    site.start_adapter();
    Center center(site.address());
    const auto [dropped, disabled] =
        center.call<std::uint32_t, std::uint32_t>(10s, sysupdate::kTargetPath, kTarget, "Vacuum");
    EXPECT_EQ(dropped, 2U);
    EXPECT_EQ(disabled, 0U);
    EXPECT_EQ(site.service.engine.calls().back(), "collect");
}

}  // namespace
}  // namespace cfs::test
