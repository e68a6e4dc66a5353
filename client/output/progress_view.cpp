// SPDX-License-Identifier: Apache-2.0
#include "client/output/progress_view.hpp"

#include "client/output/human.hpp"
#include "client/output/terminal.hpp"

#include <unistd.h>

namespace cfs::client {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};

}  // namespace

ProgressView::ProgressView(int fd, bool live) : fd_(fd), live_(live) {}

ProgressView::~ProgressView() {
    finish();
}

void ProgressView::stage(std::string_view name) {
    const std::scoped_lock lock(mutex_);
    if (name == progress_.stage) return;
    progress_ = Progress{};
    progress_.stage = name;
    meter_ = RateMeter{};
    if (!live_ && !name.empty()) {
        print(std::string(name) + ": " + std::string(describe_stage(name)) + "\n");
    }
    draw(true);
}

void ProgressView::bytes(std::uint64_t done, std::uint64_t total, std::uint64_t reused) {
    const std::scoped_lock lock(mutex_);
    meter_.add(done, std::chrono::steady_clock::now());
    progress_.done = done;
    progress_.total = total;
    progress_.reused = reused;
    progress_.rate = meter_.rate();
    draw(done >= total);
}

void ProgressView::message(std::string_view text) {
    const std::scoped_lock lock(mutex_);
    erase();
    print(fold("  " + std::string(text), live_ ? terminal_width(fd_) : 0) + "\n");
    draw(true);
}

void ProgressView::finish() {
    const std::scoped_lock lock(mutex_);
    erase();
    progress_.stage.clear();
}

void ProgressView::draw(bool now) {
    if (!live_ || progress_.stage.empty()) return;
    const auto time = std::chrono::steady_clock::now();
    if (!now && time - last_draw_ < kRedraw) return;
    last_draw_ = time;
    // The last column stays empty: some terminals wrap when it is written.
    print("\r" + render_progress(progress_, terminal_width(fd_) - 1) + "\x1b[K");
    drawn_ = true;
}

void ProgressView::erase() {
    if (drawn_) print("\r\x1b[K");
    drawn_ = false;
}

void ProgressView::print(std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd_, text.data(), text.size());
        if (n <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
}

}  // namespace cfs::client
