// SPDX-License-Identifier: Apache-2.0
// A repair is killed at each point where it has just made something durable, or is about to.
#include "forgetful.hpp"
#include "store/splitstream.hpp"
#include "update/compose.hpp"
#include "update/machine.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <sstream>

namespace cfs {
namespace {

using test::Crash;
using test::CrashSite;
using test::run_process;

constexpr const char* kStore = "sysroot/composefs/";

std::map<std::string, std::string> objects_of(const CrashSite& crash) {
    std::map<std::string, std::string> out;
    const std::string root = crash.site.dir / kStore;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root + "objects")) {
        if (!entry.is_regular_file()) continue;
        const std::string path = entry.path().lexically_relative(root);
        out[path] = crash.site.dir.read(kStore + path);
    }
    return out;
}

/// An installed machine that lost a bit of everything.
class Broken {
 public:
    Broken() : crash(std::string(CFS_MACHINES) + "/installed") {
        good = objects_of(crash);
        const auto store =
            store::Repository::open(crash.site.dir / kStore, store::VerityPolicy::Try);
        const auto image = Digest::from_hex(crash.site.engine().status().booted->digest).value();
        const auto tree = update::load_tree(*store, image);
        garble(tree.lookup("usr/lib/big")->leaf()->external.value());
        garble(image);
        std::filesystem::remove(
            crash.site.dir / path_of(tree.lookup("usr/share/app/data")->leaf()->external.value()));
        for (const auto& stream : store->list_streams()) {
            if (stream.name.starts_with("oci-layer-")) garble(stream.object);
        }
        for (const auto& ref : store->list_stream_refs())
            store->remove_stream_ref(ref.name);
        entry = "esp/EFI/Linux/" + crash.site.engine().status().booted->uki;
        good_entry = crash.site.dir.read(entry);
        damaged_entry = good_entry + "more";
        crash.site.dir.write(entry, damaged_entry);
        damaged = objects_of(crash);
    }

    [[nodiscard]] test::Ended drive(const std::string& verb,
                                    const std::vector<std::string>& environment = {}) const {
        return run_process(crash.command(CFS_DRIVE, verb), environment);
    }

    CrashSite crash;
    std::map<std::string, std::string> good, damaged;
    std::string entry, good_entry, damaged_entry;

 private:
    static std::string path_of(const Digest& object) {
        return std::string(kStore) + "objects/" + store::object_path(object);
    }

    void garble(const Digest& object) {
        std::string bytes = crash.site.dir.read(path_of(object));
        for (char& c : bytes)
            c = static_cast<char>(c ^ 0x55);
        crash.site.dir.write(path_of(object), bytes);
    }
};

const std::set<std::string> kPoints = {"store.replacement-synced",
                                       "store.replacement-named",
                                       "store.object-linked",
                                       "store.stream-linked",
                                       "store.image-linked",
                                       "store.ref-linked",
                                       "esp.restoring",
                                       "esp.restored",
                                       "update.history-written"};

class RepairCrashPoint : public testing::TestWithParam<Crash> {};

TEST_P(RepairCrashPoint, LosesNothingAndIsFinishedByTheNextRepair) {
    const Broken machine;
    ASSERT_NO_FATAL_FAILURE(
        test::die(machine.crash, machine.crash.command(CFS_DRIVE, "repair"), GetParam()));
    const auto after = objects_of(machine.crash);
    for (const auto& [path, was] : machine.damaged) {
        ASSERT_EQ(after.count(path), 1U) << path;
        EXPECT_TRUE(after.at(path) == was || after.at(path) == machine.good.at(path)) << path;
    }
    const std::string entry = machine.crash.site.dir.read(machine.entry);
    EXPECT_TRUE(entry == machine.damaged_entry || entry == machine.good_entry);
    const auto again = machine.drive("repair");
    EXPECT_EQ(again.code, 0) << again.output;
    EXPECT_EQ(machine.crash.site.dir.read(machine.entry), machine.good_entry);
    EXPECT_EQ(machine.drive("verify").code, 0);
    const auto collected = machine.drive("collect");
    EXPECT_EQ(collected.code, 0) << collected.output;
    EXPECT_EQ(objects_of(machine.crash), machine.good);
    CrashSite untouched(std::string(CFS_MACHINES) + "/installed");
    EXPECT_EQ(machine.crash.inventory(), untouched.inventory());
}

INSTANTIATE_TEST_SUITE_P(Killed,
                         RepairCrashPoint,
                         testing::ValuesIn(test::killed_at(kPoints)),
                         test::crash_name);
INSTANTIATE_TEST_SUITE_P(PowerLoss,
                         RepairCrashPoint,
                         testing::ValuesIn(test::power_lost_at(kPoints)),
                         test::crash_name);

TEST(RepairCrashPoints, AreAllListed) {
    const Broken machine;
    EXPECT_EQ(machine.drive("verify").code, 1);
    const auto ended =
        machine.drive("repair", {"CFS_CRASH_TRACE=" + (machine.crash.site.dir / "trace")});
    ASSERT_EQ(ended.code, 0) << ended.output;
    std::istringstream trace(machine.crash.site.dir.read("trace"));
    std::set<std::string> passed;
    for (std::string line; std::getline(trace, line);)
        passed.insert(line);
    EXPECT_EQ(passed, kPoints);
}

}  // namespace
}  // namespace cfs
