// SPDX-License-Identifier: Apache-2.0
#include "service/worker.hpp"

#include <signal.h>

#include <utility>

namespace cfs::service {
namespace {

/// Threads inherit the mask of the one that starts them.
std::jthread start_without_signals(std::function<void(const std::stop_token&)> body) {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    std::jthread thread([body = std::move(body)](const std::stop_token& stop) { body(stop); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
}

}  // namespace

Worker::Worker(AtEnd at_end)
    : at_end_(at_end), thread_(start_without_signals([this](const auto& stop) { run(stop); })) {}

Worker::~Worker() {
    thread_.request_stop();
    thread_.join();
}

void Worker::post(Task task) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    changed_.notify_one();
}

Worker::Task Worker::next(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [&] { return !tasks_.empty(); });
    const bool leaves = stop.stop_requested() && (at_end_ == AtEnd::Drop || tasks_.empty());
    if (leaves) return nullptr;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
}

void Worker::run(const std::stop_token& stop) noexcept {
    while (const Task task = next(stop))
        task();
}

}  // namespace cfs::service
