// SPDX-License-Identifier: Apache-2.0
#include "random_runs.hpp"

#include "crash_site.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>

namespace cfs::test {

bool is_long() {
    const char* value = std::getenv("CFS_LONG");
    return value != nullptr && std::string(value) == "1";
}

unsigned choose_seed() {
    const char* given = std::getenv("CFS_SEED");
    const unsigned seed =
        given != nullptr ? static_cast<unsigned>(std::stoul(given)) : std::random_device{}();
    std::cout << "CFS_SEED=" << seed << '\n';
    return seed;
}

std::chrono::microseconds duration_of_an_update(const std::string& machine) {
    CrashSite crash(machine);
    const auto ended = run_process(crash.command(CFS_DRIVE, "update", "v2"));
    EXPECT_EQ(ended.code, 0) << ended.output;
    return ended.took;
}

}  // namespace cfs::test
