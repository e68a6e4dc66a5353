// SPDX-License-Identifier: Apache-2.0
#include "update/parallel.hpp"

#include "base/error.hpp"
#include "base/stop.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <thread>

namespace cfs::update {
namespace {

using namespace std::chrono_literals;

void wait_for_stop(const std::stop_token& stop) {
    while (!stop.stop_requested())
        std::this_thread::sleep_for(1ms);
    check(stop);
}

TEST(RunParallel, DoesEachOnceAndNeverMoreAtOnceThanAllowed) {
    std::atomic<int> running = 0;
    std::atomic<int> most = 0;
    std::array<std::atomic<int>, 50> done{};
    const auto work = [&](std::size_t index, const std::stop_token&) {
        const int now = ++running;
        int known = most;
        while (known < now && !most.compare_exchange_weak(known, now)) {
        }
        std::this_thread::sleep_for(1ms);
        ++done[index];
        --running;
    };
    run_parallel(done.size(), 3, work, [] {}, {});
    for (const auto& count : done)
        EXPECT_EQ(count, 1);
    EXPECT_GE(most, 2);
    EXPECT_LE(most, 3);
}

TEST(RunParallel, TicksOnTheCallersThread) {
    std::set<std::thread::id> threads;
    int ticks = 0;
    const auto tick = [&] {
        threads.insert(std::this_thread::get_id());
        ++ticks;
    };
    const auto work = [](std::size_t, const std::stop_token&) {
        std::this_thread::sleep_for(250ms);
    };
    run_parallel(2, 2, work, tick, {});
    EXPECT_EQ(threads, std::set<std::thread::id>{std::this_thread::get_id()});
    EXPECT_GE(ticks, 2);
}

TEST(RunParallel, TheFirstFailureStopsTheOthersAndIsThrown) {
    std::atomic<int> begun = 0;
    const auto work = [&](std::size_t index, const std::stop_token& stop) {
        ++begun;
        if (index == 1) throw Error(ErrorCode::BadFormat, "layer 1");
        wait_for_stop(stop);
    };
    try {
        run_parallel(100, 2, work, [] {}, {});
        FAIL() << "nothing thrown";
    } catch (const Error& e) {
        EXPECT_STREQ(e.what(), "layer 1");
    }
    EXPECT_EQ(begun, 2);
}

TEST(RunParallel, StopReachesTheWork) {
    std::stop_source source;
    const auto work = [&](std::size_t, const std::stop_token& stop) {
        source.request_stop();
        wait_for_stop(stop);
    };
    try {
        run_parallel(
            4, 2, work, [] {}, source.get_token());
        FAIL() << "nothing thrown";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::Cancelled);
    }
}

TEST(RunParallel, WhatTickThrowsStopsTheWork) {
    const auto work = [](std::size_t, const std::stop_token& stop) { wait_for_stop(stop); };
    const auto tick = [] { throw std::runtime_error("the sink is gone"); };
    EXPECT_THROW(run_parallel(2, 2, work, tick, {}), std::runtime_error);
}

TEST(RunParallel, NothingToDoIsDone) {
    int ticks = 0;
    run_parallel(
        0, 2, [](std::size_t, const std::stop_token&) { FAIL(); }, [&] { ++ticks; }, {});
    EXPECT_EQ(ticks, 1);
}

}  // namespace
}  // namespace cfs::update
