// SPDX-License-Identifier: Apache-2.0
#include "service/worker.hpp"

#include "fakes/fake_engine.hpp"

#include <gtest/gtest.h>

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace cfs::service {
namespace {

TEST(Worker, RunsTasksInOrderOnAThreadOfItsOwn) {
    std::vector<int> seen;
    std::thread::id thread;
    test::Door last;
    last.open();
    Worker worker;
    for (int i = 0; i < 100; ++i)
        worker.post([&seen, i] { seen.push_back(i); });
    worker.post([&] {
        thread = std::this_thread::get_id();
        last.pass();
    });
    ASSERT_TRUE(last.wait_until_reached());
    ASSERT_EQ(seen.size(), 100U);
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    EXPECT_NE(thread, std::this_thread::get_id());
}

TEST(Worker, TheDestructorWaitsForTheTaskThatRuns) {
    test::Door door;
    bool ended = false;
    std::jthread opener;
    {
        Worker worker;
        worker.post([&] {
            door.pass();
            ended = true;
        });
        ASSERT_TRUE(door.wait_until_reached());
        // Another thread opens, so that the destructor has something to wait for.
        opener = std::jthread([&door] { door.open(); });
    }
    EXPECT_TRUE(ended);
}

TEST(Worker, FinishesWhatWaitsWhereItIsToldTo) {
    for (const auto at_end : {Worker::AtEnd::Drop, Worker::AtEnd::Finish}) {
        test::Door door;
        std::atomic<int> done = 0;
        std::jthread opener;
        {
            Worker worker(at_end);
            worker.post([&] { door.pass(); });
            ASSERT_TRUE(door.wait_until_reached());
            for (int i = 0; i < 3; ++i)
                worker.post([&] { ++done; });
            // When the destructor has asked it to end.
            opener = std::jthread([&door] {
                std::this_thread::sleep_for(std::chrono::milliseconds(100));
                door.open();
            });
        }
        EXPECT_EQ(done, at_end == Worker::AtEnd::Finish ? 3 : 0);
    }
}

TEST(Worker, TakesNoSignals) {
    sigset_t mask;
    ::sigemptyset(&mask);
    test::Door done;
    done.open();
    Worker worker;
    worker.post([&] {
        ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        done.pass();
    });
    ASSERT_TRUE(done.wait_until_reached());
    EXPECT_EQ(::sigismember(&mask, SIGTERM), 1);
    EXPECT_EQ(::sigismember(&mask, SIGINT), 1);
    sigset_t ours;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &ours);
    EXPECT_EQ(::sigismember(&ours, SIGTERM), 0);
}

}  // namespace
}  // namespace cfs::service
