// SPDX-License-Identifier: Apache-2.0
#include "client/image/hash_pool.hpp"

namespace cfs::client {
namespace {

/// Small enough to spread the last files, big enough that the lock does not show.
constexpr std::size_t kBatch = 16;
/// Each waiting task keeps a directory open.
constexpr std::size_t kMaxQueue = 64;

}  // namespace

HashPool::HashPool(unsigned threads, const MakeReader& make_reader) : read_(make_reader()) {
    for (unsigned i = 1; i < threads; ++i)
        threads_.emplace_back([this, read = make_reader()] { work(read); });
}

HashPool::~HashPool() {
    stop();
}

void HashPool::add(ScanTask task) {
    if (threads_.empty()) {
        read_(task);
        return;
    }
    batch_.push_back(std::move(task));
    if (batch_.size() < kBatch) return;
    push(std::exchange(batch_, {}));
}

void HashPool::push(Batch batch) {
    {
        std::unique_lock lock(mutex_);
        rethrow(lock);
        if (queue_.size() < kMaxQueue) {
            queue_.push_back(std::move(batch));
            lock.unlock();
            more_.notify_one();
            return;
        }
    }
    for (ScanTask& task : batch)
        read_(task);
}

void HashPool::finish() {
    if (!batch_.empty()) push(std::exchange(batch_, {}));
    for (;;) {
        std::unique_lock lock(mutex_);
        rethrow(lock);
        if (queue_.empty()) break;
        Batch batch = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        for (ScanTask& task : batch)
            read_(task);
    }
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    more_.notify_all();
    for (std::thread& thread : threads_)
        thread.join();
    threads_.clear();
    std::unique_lock lock(mutex_);
    rethrow(lock);
}

void HashPool::work(const std::function<void(ScanTask&)>& read) {
    for (;;) {
        std::unique_lock lock(mutex_);
        more_.wait(lock, [this] { return ended_ || !queue_.empty(); });
        if (queue_.empty()) return;
        Batch batch = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        try {
            for (ScanTask& task : batch)
                read(task);
        } catch (...) {
            lock.lock();
            if (!failure_) failure_ = std::current_exception();
            queue_.clear();
        }
    }
}

void HashPool::rethrow(std::unique_lock<std::mutex>& lock) {
    if (!failure_) return;
    const std::exception_ptr failure = failure_;
    lock.unlock();
    std::rethrow_exception(failure);
}

void HashPool::stop() {
    {
        const std::lock_guard lock(mutex_);
        queue_.clear();
        ended_ = true;
    }
    more_.notify_all();
    for (std::thread& thread : threads_)
        thread.join();
    threads_.clear();
}

}  // namespace cfs::client
