// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

namespace cfs {
namespace {

class SystemClock final : public Clock {
 public:
    [[nodiscard]] std::chrono::system_clock::time_point now() const override {
        return std::chrono::system_clock::now();
    }

    [[nodiscard]] std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::now();
    }
};

}  // namespace

const Clock& system_clock() {
    static const SystemClock clock;
    return clock;
}

}  // namespace cfs
