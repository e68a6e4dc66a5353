// SPDX-License-Identifier: Apache-2.0
// Who may call what: the shipped bus policy and, behind it, the service's own check.
#include "bus_client.hpp"
#include "service_site.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <string>
#include <vector>

namespace cfs::test {
namespace {

constexpr const char* kPolicy = CFS_DBUS_DIR "/org.cfsupdate1.conf";

constexpr uid_t kNobody = 65534;

/// Calls all methods as somebody else than root.
/// \returns "Manager.Update: error name: message", ...
std::vector<std::string> refusals(BusClient& nobody, const std::string& job) {
    std::vector<std::string> out;
    const auto call = [&](const std::string& what, const auto& method) {
        try {
            method();
            out.push_back(what + ": allowed");
        } catch (const sdbus::Error& e) {
            out.push_back(what + ": " + e.getName() + ": " + e.getMessage());
        }
    };
    for (const char* method :
         {"Check", "Update", "Finalize", "Rollback", "Collect", "Verify", "Repair"})
        call(method, [&] { (void)nobody.start(method); });
    call("Cancel", [&] { nobody.cancel_active(); });
    call("Cancel of a job", [&] { nobody.cancel(job); });
    return out;
}

class BusPolicy : public testing::Test {
 protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root to act as another user";
    }
};

TEST_F(BusPolicy, RefusesEveryMethodToOthersThanRoot) {
    ServiceSite site{kPolicy};
    site.start();
    BusClient root(site.bus.address());
    const std::string job = root.start("Check");
    root.wait_for_end(job);
    BusClient nobody(site.bus.address(), kNobody);
    for (const std::string& refusal : refusals(nobody, job)) {
        EXPECT_NE(refusal.find(": org.freedesktop.DBus.Error.AccessDenied: "), std::string::npos)
            << refusal;
        // The bus's own words: the call did not reach the service.
        EXPECT_NE(refusal.find("Rejected send message"), std::string::npos) << refusal;
    }
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

// The same on a bus without our policy file: the service looks itself.
TEST_F(BusPolicy, TheServiceRefusesOthersWhereThePolicyIsMissing) {
    const TempDir dir;
    dir.write("open.conf",
              "<busconfig><policy context=\"default\"><allow own=\"*\"/>"
              "<allow send_type=\"method_call\"/></policy></busconfig>");
    ServiceSite site{dir / "open.conf"};
    site.start();
    BusClient root(site.bus.address());
    const std::string job = root.start("Check");
    root.wait_for_end(job);
    BusClient nobody(site.bus.address(), kNobody);
    for (const std::string& refusal : refusals(nobody, job)) {
        EXPECT_NE(refusal.find(": org.freedesktop.DBus.Error.AccessDenied: only root may do this; "
                               "the caller has user id 65534\nHint: "),
                  std::string::npos)
            << refusal;
    }
    EXPECT_EQ(site.engine.calls(), (std::vector<std::string>{"reconcile", "check image="}));
}

}  // namespace
}  // namespace cfs::test
