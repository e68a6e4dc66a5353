// SPDX-License-Identifier: Apache-2.0
#include "store/gc.hpp"
#include "store_fixture.hpp"

#include <gtest/gtest.h>

#include <sys/file.h>

#include <optional>
#include <thread>

namespace cfs::store {
namespace {

using test::NewStore;
using namespace std::chrono_literals;

TEST(Lock, SharedHoldersGoTogether) {
    const NewStore store;
    const SharedLock one = store->lock_shared(0ms);
    EXPECT_NO_THROW(const SharedLock two = store->lock_shared(0ms));
}

TEST(Lock, ASharedHolderKeepsTheCollectorOut) {
    const NewStore store;
    const SharedLock shared = store->lock_shared(0ms);
    EXPECT_ERROR(store->try_lock_exclusive(0ms), ErrorCode::Busy, store.dir().path());
}

TEST(Lock, TheCollectorKeepsWritersOut) {
    const NewStore store;
    const ExclusiveLock exclusive = store->try_lock_exclusive(0ms);
    EXPECT_ERROR(store->lock_shared(1ms), ErrorCode::Busy, "locked by");
}

TEST(Lock, BusyNamesTheHolder) {
    const NewStore store;
    const SharedLock shared = store->lock_shared(0ms);
    EXPECT_ERROR(store->try_lock_exclusive(0ms),
                 ErrorCode::Busy,
                 "(process " + std::to_string(::getpid()) + ")");
}

TEST(Lock, EndsWithItsObject) {
    const NewStore store;
    { const SharedLock shared = store->lock_shared(0ms); }
    EXPECT_NO_THROW(const ExclusiveLock lock = store->try_lock_exclusive(0ms));
}

TEST(Lock, IsThePeersFlockOnTheDirectory) {
    const NewStore store;
    const UniqueFd peer(::open(store.dir().path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_EQ(::flock(peer.get(), LOCK_SH), 0);
    EXPECT_ERROR(store->try_lock_exclusive(0ms), ErrorCode::Busy, "locked by");
    ASSERT_EQ(::flock(peer.get(), LOCK_UN), 0);
    const ExclusiveLock lock = store->try_lock_exclusive(0ms);
    EXPECT_NE(::flock(peer.get(), LOCK_SH | LOCK_NB), 0);
}

TEST(Lock, WaitsForTheOtherToEnd) {
    const NewStore store;
    std::optional<SharedLock> shared = store->lock_shared(0ms);
    std::stop_source never;
    std::jthread other([&] { shared.reset(); });
    EXPECT_NO_THROW(const ExclusiveLock lock = store->try_lock_exclusive(10s, never.get_token()));
}

TEST(Lock, AStopEndsTheWait) {
    const NewStore store;
    const SharedLock shared = store->lock_shared(0ms);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_ERROR(store->try_lock_exclusive(10s, stop.get_token()), ErrorCode::Cancelled, "");
}

TEST(Lock, OfAnotherStoreDoesNotAllowCollecting) {
    const NewStore one;
    const NewStore other;
    const ExclusiveLock lock = other->try_lock_exclusive(0ms);
    const ImageObjects none = [](ByteView) { return std::vector<Digest>{}; };
    EXPECT_ERROR(
        collect_garbage(*one, lock, {}, none, true), ErrorCode::Internal, "another store's");
}

}  // namespace
}  // namespace cfs::store
