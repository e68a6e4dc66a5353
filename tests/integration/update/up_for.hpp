// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"

#include <chrono>

namespace cfs::test {

/// The machine has been up for so long.
class UpFor final : public Clock {
 public:
    explicit UpFor(std::chrono::minutes up) : up_(up) {}

    [[nodiscard]] std::chrono::system_clock::time_point now() const override {
        return std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
    }

    [[nodiscard]] std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::time_point(up_);
    }

 private:
    std::chrono::minutes up_;
};

}  // namespace cfs::test
