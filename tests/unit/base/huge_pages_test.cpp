// SPDX-License-Identifier: Apache-2.0
#include "base/huge_pages.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>

namespace cfs {
namespace {

TEST(HugePages, AreAlignedAndZero) {
    for (const bool huge : {false, true}) {
        auto* memory = static_cast<std::uint8_t*>(map_pages(2 * kHugePage, huge));
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % kHugePage, 0U);
        EXPECT_EQ(std::accumulate(memory, memory + 2 * kHugePage, 0U), 0U);
        memory[2 * kHugePage - 1] = 1;
        unmap_pages(memory, 2 * kHugePage);
    }
}

TEST(HugeVector, GrowsThroughBothKindsOfMemory) {
    HugeVector<std::uint64_t> numbers;
    for (std::uint64_t i = 0; i < 1'000'000; ++i)
        numbers.push_back(i);
    for (std::uint64_t i = 0; i < numbers.size(); ++i)
        ASSERT_EQ(numbers[i], i);
    const HugeVector<std::uint64_t> copy = numbers;
    EXPECT_EQ(copy, numbers);
}

TEST(HugeVector, RefusesWhatNoMemoryHolds) {
    HugeAllocator<std::uint64_t> allocator;
    EXPECT_THROW((void)allocator.allocate(static_cast<std::size_t>(-1) / 4), std::bad_alloc);
    EXPECT_THROW((void)allocator.allocate(std::size_t{1} << 56), std::bad_alloc);
}

}  // namespace
}  // namespace cfs
