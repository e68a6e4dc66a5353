// SPDX-License-Identifier: Apache-2.0
#include "bus_client.hpp"
#include "service_site.hpp"

#include <gtest/gtest.h>

namespace cfs::test {
namespace {

std::string interface_lines(const std::string& interface, const std::string& file) {
    const Ended ended = run({"python3", CFS_INTERFACE_LINES, interface, file});
    EXPECT_EQ(ended.code, 0) << ended.err;
    return ended.out;
}

void expect_as_documented(const std::string& interface, const std::string& live) {
    const TempDir dir;
    dir.write("live.xml", live);
    const std::string documented =
        interface_lines(interface, CFS_DBUS_DIR "/" + interface + ".xml");
    EXPECT_GT(documented.size(), 100U);
    EXPECT_EQ(interface_lines(interface, dir / "live.xml"), documented);
}

TEST(Introspection, OfTheManagerIsTheDocumentedInterface) {
    ServiceSite site;
    site.start();
    expect_as_documented(bus::kManagerInterface,
                         BusClient(site.bus.address()).introspect(bus::kManagerPath));
}

TEST(Introspection, OfAJobIsTheDocumentedInterface) {
    ServiceSite site;
    site.start();
    BusClient client(site.bus.address());
    const std::string job = client.start("Check");
    client.wait_for_end(job);
    expect_as_documented(bus::kJobInterface, client.introspect(job));
}

TEST(Introspection, BusctlPrintsIt) {
    ServiceSite site;
    site.start();
    const Ended ended = site.bus.busctl({"introspect", bus::kName, bus::kManagerPath});
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_NE(ended.out.find(".RebootPending"), std::string::npos);
}

}  // namespace
}  // namespace cfs::test
