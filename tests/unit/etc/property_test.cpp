// SPDX-License-Identifier: Apache-2.0
// CFS_LONG=1 runs ten times the usual number of cases, CFS_ETC_CASES=N just so many; CFS_ETC_SEED=N
// starts elsewhere.
#include "unit/etc/random_trees.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <random>

namespace cfs::etc {
namespace {

unsigned long from_environment(const char* name, unsigned long otherwise) {
    const char* value = std::getenv(name);
    return value == nullptr ? otherwise : std::strtoul(value, nullptr, 10);
}

Bytes random_steps(unsigned long seed) {
    std::mt19937 random(static_cast<std::mt19937::result_type>(seed));
    Bytes steps(3 * (5 + random() % 60));
    for (auto& byte : steps)
        byte = static_cast<std::uint8_t>(random());
    // A common ground first: a third of the steps is done to all three trees.
    for (std::size_t i = 0; i < steps.size() / 3; i += 3)
        steps[i] &= 0x3fU;
    return steps;
}

/// In memory where there is room: thousands of small trees wear a disk down for nothing.
class EtcMergeProperty : public ::testing::Test {
 protected:
    void SetUp() override {
        if (::access("/dev/shm", W_OK) == 0) ::setenv("CFS_TEST_TMP", "/dev/shm", 0);
    }
};

TEST_F(EtcMergeProperty, RandomTreesKeepEveryPromise) {
    test::Tree canary;
    canary.file("file", "outside");
    const std::string before = canary.listing();
    const unsigned long first = from_environment("CFS_ETC_SEED", 1);
    const unsigned long cases =
        from_environment("CFS_ETC_CASES", from_environment("CFS_LONG", 0) != 0 ? 20'000 : 2'000);
    for (unsigned long seed = first; seed < first + cases; ++seed) {
        test::Trees trees;
        test::grow(trees, random_steps(seed), canary.real("."));
        ASSERT_EQ(test::broken_promise(trees), "") << "seed " << seed << "\nP\n"
                                                   << trees.pristine.listing() << "C\n"
                                                   << trees.current.listing() << "N\n"
                                                   << trees.next.listing();
        ASSERT_EQ(canary.listing(), before) << "seed " << seed;
    }
}

}  // namespace
}  // namespace cfs::etc
