// SPDX-License-Identifier: Apache-2.0
#include "client/output/progress_bar.hpp"

#include "client/output/human.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace cfs::client {
namespace {

constexpr std::size_t kStageWidth = 9;
constexpr std::size_t kMinBar = 8;
constexpr std::size_t kMaxBar = 40;

unsigned percent(const Progress& progress) {
    const std::uint64_t done = std::min(progress.done, progress.total);
    return static_cast<unsigned>(static_cast<double>(done) * 100.0 /
                                 static_cast<double>(progress.total));
}

std::string right(const std::string& text, std::size_t width) {
    return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

/// What stands right of the bar, most important first.
std::vector<std::string> facts(const Progress& progress) {
    const std::uint64_t done = std::min(progress.done, progress.total);
    std::vector<std::string> out = {
        right(std::to_string(percent(progress)) + "%", 5),
        "  " + human_bytes(done) + "/" + human_bytes(progress.total),
    };
    if (progress.rate > 0) {
        out.push_back("  " + human_bytes(progress.rate) + "/s");
        const std::uint64_t left = (progress.total - done + progress.rate - 1) / progress.rate;
        out.push_back("  ETA " + human_duration(left));
    }
    return out;
}

std::string bar(unsigned percent_done, std::size_t width) {
    const std::size_t inner = width - 2;
    const std::size_t full = inner * percent_done / 100;
    return "[" + std::string(full, '#') + std::string(inner - full, '-') + "]";
}

}  // namespace

std::string_view describe_stage(std::string_view stage) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kStages = {{
        {"check", "looking for an update"},
        {"gate", "checking the UKI and its signature"},
        {"scan", "reading the tree"},
        {"fetch", "fetching layers"},
        {"compose", "composing the image"},
        {"verify", "verifying the image"},
        {"stage", "writing the UKI to the ESP"},
        {"finalize", "merging /etc and switching"},
        {"collect", "collecting what nothing needs"},
        {"rollback", "making the previous deployment next"},
    }};
    for (const auto& [name, text] : kStages) {
        if (name == stage) return text;
    }
    return stage;
}

std::string render_progress(const Progress& progress, std::size_t width) {
    std::string line = progress.stage;
    line.resize(std::max(kStageWidth, line.size()), ' ');
    if (progress.total == 0) {
        return shorten(line + " " + std::string(describe_stage(progress.stage)), width);
    }
    std::string tail;
    for (const std::string& fact : facts(progress)) {
        if (line.size() + 1 + kMinBar + tail.size() + fact.size() > width) break;
        tail += fact;
    }
    const std::size_t used = line.size() + 1 + tail.size();
    if (used + kMinBar > width) return shorten(line, width);
    return line + " " + bar(percent(progress), std::min(kMaxBar, width - used)) + tail;
}

void RateMeter::add(std::uint64_t done, Time now) {
    if (!samples_.empty() && done < samples_.back().second) samples_.clear();
    samples_.emplace_back(now, done);
    while (samples_.size() > 2 && now - samples_[1].first >= std::chrono::seconds(5)) {
        samples_.pop_front();
    }
}

std::uint64_t RateMeter::rate() const {
    if (samples_.size() < 2) return 0;
    const std::chrono::duration<double> span = samples_.back().first - samples_.front().first;
    if (span < std::chrono::milliseconds(500)) return 0;
    const std::uint64_t bytes = samples_.back().second - samples_.front().second;
    return static_cast<std::uint64_t>(static_cast<double>(bytes) / span.count());
}

}  // namespace cfs::client
