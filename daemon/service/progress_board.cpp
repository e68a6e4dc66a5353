// SPDX-License-Identifier: Apache-2.0
#include "service/progress_board.hpp"

#include "service/bus.hpp"

namespace cfs::service {
namespace {

constexpr std::size_t kMaxMessage = 1000;

}  // namespace

void ProgressBoard::stage(std::string_view name) {
    const std::lock_guard lock(mutex_);
    progress_.stage = bus_text(name, kMaxMessage);
}

void ProgressBoard::bytes(std::uint64_t done, std::uint64_t total, std::uint64_t reused) {
    const std::lock_guard lock(mutex_);
    progress_.done = done;
    progress_.total = total;
    progress_.reused = reused;
}

void ProgressBoard::message(std::string_view text) {
    const std::lock_guard lock(mutex_);
    progress_.message = bus_text(text, kMaxMessage);
}

Progress ProgressBoard::read() const {
    const std::lock_guard lock(mutex_);
    return progress_;
}

}  // namespace cfs::service
