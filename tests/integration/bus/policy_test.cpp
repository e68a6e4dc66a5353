// SPDX-License-Identifier: Apache-2.0
// What the shipped bus policy lets through, and that the polkit policy has the actions of the code.
// Who is allowed what in the end: matrix_test.cpp.
#include "bus_client.hpp"
#include "service/actions.hpp"
#include "service_site.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace cfs::test {
namespace {

constexpr const char* kPolicy = CFS_DBUS_DIR "/org.cfsupdate1.conf";
constexpr const char* kProperties = "org.freedesktop.DBus.Properties";

constexpr uid_t kNobody = 65534;

/// Methods that the contract names: "Check", "Update", ...
std::vector<std::string> methods(const std::string& interface) {
    const Ended lines =
        run({"python3", CFS_INTERFACE_LINES, interface, CFS_DBUS_DIR "/" + interface + ".xml"});
    std::vector<std::string> out;
    std::istringstream in(lines.out);
    for (std::string line; std::getline(in, line);) {
        if (line.rfind("method ", 0) == 0) out.push_back(line.substr(7, line.find('(') - 7));
    }
    return out;
}

class BusPolicy : public testing::Test {
 protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root to act as another user";
    }
};

/// The bus's own words: the call did not reach the service.
bool is_stopped(BusClient& client,
                const std::string& path,
                const std::string& interface,
                const std::string& method) {
    return client.call_bare(path, interface, method).find("Rejected send message") !=
           std::string::npos;
}

TEST_F(BusPolicy, LetsEveryDocumentedMethodThroughAndNothingElse) {
    ServiceSite site{kPolicy};
    site.start();
    BusClient root(site.bus.address());
    const std::string job = root.start("Check");
    root.wait_for_end(job);
    BusClient nobody(site.bus.address(), kNobody);
    const auto manager_methods = methods(bus::kManagerInterface);
    EXPECT_GE(manager_methods.size(), 10U);
    for (const std::string& method : manager_methods) {
        EXPECT_FALSE(is_stopped(nobody, bus::kManagerPath, bus::kManagerInterface, method))
            << method;
    }
    for (const std::string& method : methods(bus::kJobInterface))
        EXPECT_FALSE(is_stopped(nobody, job, bus::kJobInterface, method)) << method;
    EXPECT_TRUE(is_stopped(nobody, bus::kManagerPath, bus::kManagerInterface, "Undocumented"));
    EXPECT_TRUE(is_stopped(nobody, job, bus::kJobInterface, "Undocumented"));
    EXPECT_TRUE(is_stopped(nobody, bus::kManagerPath, kProperties, "Set"));
    EXPECT_TRUE(is_stopped(nobody, bus::kManagerPath, "org.example.Other", "Check"));
    EXPECT_EQ(site.engine.calls(), (std::vector<std::string>{"reconcile", "check image="}));
}

TEST_F(BusPolicy, LetsEverybodyReadAndListen) {
    ServiceSite site{kPolicy};
    site.start();
    BusClient nobody(site.bus.address(), kNobody);
    EXPECT_EQ(value<std::string>(nobody.manager(), "Version"), "1.2.3");
    EXPECT_NE(nobody.introspect(bus::kManagerPath).find("RebootPending"), std::string::npos);
    BusClient root(site.bus.address());
    const std::string job = root.start("Check");
    EXPECT_EQ(nobody.wait_for_end(job).state, "done");
    EXPECT_EQ(value<std::string>(nobody.job(job), "State"), "done");
}

TEST_F(BusPolicy, LetsNobodyElseTakeTheName) {
    const PrivateBus bus{kPolicy};
    BusClient nobody(bus.address(), kNobody);
    try {
        nobody.take_name(bus::kName);
        FAIL();
    } catch (const sdbus::Error& e) {
        EXPECT_EQ(std::string(e.getName()), "org.freedesktop.DBus.Error.AccessDenied");
    }
}

// On any bus, with and without our policy file, without polkit: the service looks itself.
TEST_F(BusPolicy, TheServiceRefusesEveryMethodToOthersThanRoot) {
    const TempDir dir;
    dir.write("open.conf",
              "<busconfig><policy context=\"default\"><allow own=\"*\"/>"
              "<allow send_type=\"method_call\"/></policy></busconfig>");
    for (const std::string& policy : {dir / "open.conf", std::string(kPolicy)}) {
        ServiceSite site{policy};
        site.engine.set_verb(
            [&](update::ProgressSink&, const std::stop_token& stop) { site.door.pass(stop); });
        site.start();
        BusClient root(site.bus.address());
        const std::string job = root.start("Verify");
        BusClient nobody(site.bus.address(), kNobody);
        for (const std::string& method : methods(bus::kManagerInterface)) {
            if (method == "History") continue;  // it only reads
            const std::string refusal = nobody.call_with_options(method);
            EXPECT_EQ(
                refusal.rfind("org.freedesktop.DBus.Error.AccessDenied: only root may do this "
                              "(org.cfsupdate1.",
                              0),
                0U)
                << method << ": " << refusal;
        }
        for (const std::string& method : methods(bus::kJobInterface)) {
            EXPECT_NE(
                nobody.call_bare(job, bus::kJobInterface, method).find("only root may do this"),
                std::string::npos)
                << method;
        }
        EXPECT_EQ(value<std::string>(root.job(job), "State"), "running");
    }
}

TEST(PolkitPolicy, HasTheActionsOfTheCodeAndNoOther) {
    std::set<std::string> expected;
    for (const service::Action action : service::kActions) {
        expected.insert(std::string(service::action_id(action)) + " auth_admin auth_admin " +
                        (service::is_for_active_users(action) ? "yes" : "auth_admin"));
    }
    EXPECT_EQ(expected.size(), service::kActions.size());
    std::string lines;
    for (const std::string& line : expected)
        lines += line + "\n";
    const Ended ended = run({"python3", CFS_POLICY_LINES, CFS_DBUS_DIR "/org.cfsupdate1.policy"});
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(ended.out, lines);
}

}  // namespace
}  // namespace cfs::test
