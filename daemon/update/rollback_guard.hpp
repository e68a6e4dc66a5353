// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/log.hpp"

#include <exception>
#include <functional>
#include <string>
#include <utility>

namespace cfs::update {

/// Undoes a step whose end was not reached. The undoing may fail too (the disk that made the step
/// fail may be gone): that is logged, and reconcile() tries again at the next start.
class RollbackGuard {
 public:
    explicit RollbackGuard(std::function<void()> undo) : undo_(std::move(undo)) {}

    RollbackGuard(const RollbackGuard&) = delete;
    RollbackGuard& operator=(const RollbackGuard&) = delete;

    ~RollbackGuard() {
        if (!undo_) return;
        try {
            undo_();
        } catch (const std::exception& e) {
            log::warn(
                std::string("undoing an unfinished step failed, the next start tries again: ") +
                e.what());
        }
    }

    void dismiss() { undo_ = nullptr; }

 private:
    std::function<void()> undo_;
};

}  // namespace cfs::update
