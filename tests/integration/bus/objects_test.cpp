// SPDX-License-Identifier: Apache-2.0
// Jobs as objects that appear and disappear.
#include "bus_client.hpp"
#include "service_site.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace cfs::test {
namespace {

using namespace std::chrono_literals;
using Interfaces = std::map<std::string, bus::VariantMap>;
using Objects = std::map<sdbus::ObjectPath, Interfaces>;

constexpr const char* kObjectManager = "org.freedesktop.DBus.ObjectManager";

class BusObjects : public testing::Test {
 protected:
    Objects objects() {
        Objects out;
        const auto connection = bus::connect(site_.bus.address());
        const auto manager = sdbus::createProxy(
            *connection, bus::ServiceName{bus::kName}, sdbus::ObjectPath{bus::kManagerPath});
        auto reply = bus::call(*manager, kObjectManager, "GetManagedObjects", false);
        reply >> out;
        return out;
    }

    BusClient& client() {
        if (!client_) client_ = std::make_unique<BusClient>(site_.bus.address());
        return *client_;
    }

    /// "JobNew", "InterfacesAdded", ... in the order in which they came.
    std::vector<std::string> members() {
        std::vector<std::string> out;
        for (const Heard& heard : client().heard()) {
            if (heard.member != "PropertiesChanged") out.push_back(heard.member);
        }
        return out;
    }

    ServiceSite site_;
    std::unique_ptr<BusClient> client_;
};

TEST_F(BusObjects, AreTheJobsWithAllTheirProperties) {
    site_.engine.set_verb([this](update::ProgressSink& progress, const std::stop_token& stop) {
        progress.stage("fetch");
        site_.door.pass(stop);
    });
    site_.start();
    EXPECT_TRUE(objects().empty());
    const sdbus::ObjectPath job{client().start("Update")};
    ASSERT_TRUE(site_.door.wait_until_reached());
    const Objects one = objects();
    ASSERT_EQ(one.size(), 1U);
    ASSERT_TRUE(one.contains(job));
    ASSERT_TRUE(one.at(job).contains(bus::kJobInterface));
    const bus::VariantMap shown = one.at(job).at(bus::kJobInterface);
    const bus::VariantMap read = client().job(job);
    EXPECT_EQ(shown.size(), read.size());
    EXPECT_GE(shown.size(), 15U);
    for (const auto& [name, value] : read)
        EXPECT_TRUE(shown.contains(name)) << name;
    EXPECT_EQ(value<std::string>(shown, "Kind"), "update");
    site_.door.open();
    client().wait_for_end(job);
    EXPECT_EQ(objects().size(), 1U) << "it stays for a while";
    EXPECT_EQ(value<std::string>(objects().at(job).at(bus::kJobInterface), "State"), "done");
}

TEST_F(BusObjects, AreAnnouncedWhenTheyComeAndGo) {
    site_.start(service::Jobs::Timing{250ms, 10ms, 64});
    const std::string job = client().start("Check");
    ASSERT_TRUE(
        client().wait_for([](const Heard& heard) { return heard.member == "InterfacesRemoved"; }));
    EXPECT_EQ(
        members(),
        (std::vector<std::string>{"InterfacesAdded", "JobNew", "JobRemoved", "InterfacesRemoved"}));
    EXPECT_TRUE(objects().empty());
}

TEST_F(BusObjects, OfManyBigResultsStayOneMessage) {
    site_.engine.collect_result.items.assign(4'000, std::string(1000, 'x'));
    site_.start();
    for (int i = 0; i < 6; ++i)
        client().wait_for_end(client().start("Collect", {{"dry-run", sdbus::Variant{true}}}));
    const Objects kept = objects();
    std::size_t bytes = 0;
    for (const auto& [path, interfaces] : kept) {
        const auto result = value<bus::VariantMap>(interfaces.at(bus::kJobInterface), "Result");
        const auto items = value<std::vector<std::string>>(result, "items");
        EXPECT_EQ(items.size() + value<std::uint64_t>(result, "items-omitted"), 4'000U);
        bytes += items.size() * 1000;
    }
    EXPECT_GE(kept.size(), 2U);
    EXPECT_LE(bytes, std::size_t{4} << 20);
    EXPECT_GE(bytes, std::size_t{2} << 20);
}

}  // namespace
}  // namespace cfs::test
