// SPDX-License-Identifier: Apache-2.0
// Update after update among three images of one version, with kills, collections and restarts in
// between: nothing may grow.
#include "crash_site.hpp"
#include "random_runs.hpp"
#include "support/sanitized.hpp"
#include "update/shutdown.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <sstream>

namespace cfs {
namespace {

using std::chrono::microseconds;
using test::CrashSite;
using test::run_process;

constexpr int kShortRuns = 50;
constexpr int kLongRuns = 1000;
/// Heap that a process keeps is no leak before each image was seen a few times.
constexpr long kMayGrowKib = 4096;

/// Two of the same image with different UKIs, and one of another image.
constexpr std::array<const char*, 3> kImages = {"v2", "v2-rebuilt", "v2-conflict"};
constexpr std::size_t kNone = kImages.size();  ///< version 1, before the first update

long resident_kib() {
    std::ifstream in("/proc/self/statm");
    long size = 0, resident = 0;
    in >> size >> resident;
    return resident * (::sysconf(_SC_PAGESIZE) / 1024);
}

std::size_t open_files() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
        count += entry.path().empty() ? 0 : 1;
    return count;
}

class Endurance {
 public:
    Endurance(std::mt19937& random, microseconds whole)
        : random_(random), whole_(whole), machine_(std::string(CFS_MACHINES) + "/installed") {}

    /// Another image than what runs, from the update to the collection behind the next boot.
    void update() {
        const std::size_t next = current_ == kNone ? 0 : (current_ + 1 + below(2)) % kImages.size();
        if (below(4) == 0) kill("update", kImages.at(next), whole_);
        (void)machine_.site.update(kImages.at(next));
        if (below(2) == 0) (void)update::finalize_at_shutdown(machine_.site.settings);
        (void)machine_.site.reboot();
        machine_.site.bless();
        if (below(4) == 0) kill("collect", "", whole_ / 4);
        (void)machine_.site.engine().collect(false, machine_.site.progress, {});
        previous_ = current_;
        current_ = next;
    }

    /// What is there depends on the two versions that are kept, and on nothing before them.
    void check() {
        ASSERT_EQ(machine_.unsound(), "");
        const auto status = machine_.site.engine().status();
        ASSERT_EQ(status.booted.value().image, test::Site::image(kImages.at(current_)));
        ASSERT_EQ(status.deployments.size(), 2U);
        const std::string now = machine_.inventory();
        const auto [known, fresh] = seen_.try_emplace({previous_, current_}, now);
        ASSERT_EQ(now, known->second) << fresh;
    }

    [[nodiscard]] int kills() const { return kills_; }

 private:
    std::size_t below(std::size_t limit) {
        return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
    }

    void kill(const std::string& verb, const std::string& tag, microseconds longest) {
        const microseconds limit(below(static_cast<std::size_t>(longest.count())));
        const auto ended = run_process(machine_.command(CFS_DRIVE, verb, tag), {}, limit);
        if (ended.killed) ++kills_;
    }

    std::mt19937& random_;
    microseconds whole_;
    CrashSite machine_;
    std::size_t current_ = kNone, previous_ = kNone;
    int kills_ = 0;
    std::map<std::pair<std::size_t, std::size_t>, std::string> seen_;
};

TEST(Updates, InARowDoNotGrowAnything) {
    std::mt19937 random(test::choose_seed());
    Endurance endurance(random,
                        test::duration_of_an_update(std::string(CFS_MACHINES) + "/installed"));
    const int runs = test::is_long() ? kLongRuns : kShortRuns;
    long resident = 0;
    std::size_t files = 0;
    for (int run = 0; run < runs; ++run) {
        endurance.update();
        endurance.check();
        if (testing::Test::HasFatalFailure()) FAIL() << "update " << run;
        if (run != runs / 2) continue;
        resident = resident_kib();
        files = open_files();
    }
    std::cout << runs << " updates, " << endurance.kills() << " kills; resident " << resident
              << " KiB at half, " << resident_kib() << " at the end; descriptors " << files
              << " and " << open_files() << '\n';
    EXPECT_GT(endurance.kills(), 0);
    EXPECT_TRUE(test::kSanitized || resident_kib() <= resident + kMayGrowKib);
    EXPECT_EQ(open_files(), files);
}

}  // namespace
}  // namespace cfs
