// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "image/erofs_reader.hpp"
#include "repair_site.hpp"
#include "store/fsck.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace cfs {
namespace {

using test::error_name;
using test::RepairSite;

TEST(Verify, FindsNothingOnASoundMachine) {
    RepairSite machine;
    const auto fast = machine.verify();
    EXPECT_TRUE(fast.sound()) << fast.items.at(0);
    EXPECT_EQ(fast.deployments.size(), 1U);
    EXPECT_EQ(fast.streams, 5U);
    EXPECT_GT(fast.objects, 60U);
    const auto full = machine.verify(true);
    EXPECT_TRUE(full.sound()) << full.items.at(0);
    EXPECT_EQ(full.objects, fast.objects);
    EXPECT_GT(full.bytes, fast.bytes);
    EXPECT_EQ(full.unvouched, 0U);
    EXPECT_GT(machine.site.progress.last_done, full.bytes) << "layers are put together, too";
    EXPECT_EQ(machine.site.progress.last_total, machine.site.progress.last_done);
    EXPECT_EQ(machine.registry().requests().size(), 0U);
}

TEST(Verify, ReadsEveryObjectThatTheImageOrItsLayersName) {
    RepairSite machine;
    const auto full = machine.verify(true);
    const auto report = store::fsck(*machine.store(), image::erofs_objects, false);
    EXPECT_EQ(full.objects, report.objects_checked);
    EXPECT_EQ(full.bytes, report.bytes_checked);
}

TEST(Verify, KeepsToItsRate) {
    RepairSite machine;
    const std::uint64_t bytes = machine.verify(true).bytes;
    update::VerifyOptions options;
    options.full = true;
    options.rate = bytes * 2;
    const auto begin = std::chrono::steady_clock::now();
    (void)machine.site.engine().verify(options, machine.site.progress, {});
    EXPECT_GT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(250));
}

TEST(Verify, StopsSoonAndWaitsForTheStore) {
    RepairSite machine;
    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(error_name([&] {
                  (void)machine.site.engine().verify({}, machine.site.progress, stop.get_token());
              }),
              "Cancelled");
    machine.site.settings.store.lock_timeout = std::chrono::milliseconds(10);
    const auto engine = update::make_engine(machine.site.settings);
    const auto store = machine.store();
    const auto lock = store->try_lock_exclusive(std::chrono::milliseconds(1000));
    EXPECT_EQ(error_name([&] { (void)engine->verify({}, machine.site.progress, {}); }), "Busy");
    EXPECT_EQ(error_name([&] { (void)engine->repair({}, machine.site.progress, {}); }), "Busy");
}

TEST(Verify, TakesDeploymentsByManyNames) {
    RepairSite machine;
    machine.update("v2");
    const auto record = machine.newest();
    EXPECT_EQ(machine.verify(false).deployments.size(), 2U);
    for (const std::string& name : {std::string("booted"),
                                    std::string("2"),
                                    record.image.hex(),
                                    record.image.hex().substr(0, 8),
                                    to_oci(record.manifest),
                                    record.stem,
                                    machine.site.engine().status().booted->uki}) {
        const auto found = machine.verify(false, name).deployments;
        EXPECT_EQ(found, std::vector<std::string>{"2 (" + record.stem + ")"}) << name;
    }
    EXPECT_EQ(machine.verify(false, "rollback").deployments.at(0).substr(0, 3), "1 (");
    for (const std::string& name :
         {std::string("3"), std::string("staged"), record.image.hex().substr(0, 7)}) {
        std::string text;
        EXPECT_EQ(error_name([&] { (void)machine.verify(false, name); }, &text), "NotFound");
        EXPECT_NE(text.find("2 (" + record.stem + ")"), std::string::npos) << text;
    }
}

}  // namespace
}  // namespace cfs
