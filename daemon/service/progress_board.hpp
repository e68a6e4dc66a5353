// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "update/engine.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace cfs::service {

/// How far a job is; a value.
struct Progress {
    std::string stage;
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    std::uint64_t reused = 0;
    std::string message;

    bool operator==(const Progress&) const = default;
};

/// Where the job thread writes how far it is and the main thread looks a few times a second: only
/// the latest counts, so nothing queues up. Thread-safe.
class ProgressBoard final : public update::ProgressSink {
 public:
    explicit ProgressBoard(update::Initiator initiator = {}) : initiator_(std::move(initiator)) {}

    void stage(std::string_view name) override;
    void bytes(std::uint64_t done, std::uint64_t total, std::uint64_t reused) override;
    void message(std::string_view text) override;

    [[nodiscard]] update::Initiator initiator() const override { return initiator_; }

    [[nodiscard]] Progress read() const;

 private:
    const update::Initiator initiator_;
    mutable std::mutex mutex_;
    Progress progress_;
};

}  // namespace cfs::service
