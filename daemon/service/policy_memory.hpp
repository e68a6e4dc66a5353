// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "policy/decide.hpp"
#include "service/policy_overrides.hpp"

#include <functional>
#include <string>

namespace cfs::service {

/// What policy has to know of the past. A value with one text for it, which is kept by somebody
/// else.
struct PolicyMemory {
    /// Both may be missing: then nothing outlives the daemon. They may throw.
    struct Storage {
        std::function<std::string()> load = {};                  ///< empty: nothing was kept
        std::function<void(const std::string& text)> save = {};  ///< durable when it returns
    };

    std::string digest;         ///< of the manifest of the newest release that was seen
    policy::Time first_seen{};  ///< of that
    policy::Failures failures;
    PolicyOverrides overrides = {};
    bool owes_reboot = false;  ///< an automatic installation of it ended with policy "apply"
    std::string soft_tried;    ///< image that a soft reboot was to lead to; no second one does

    [[nodiscard]] std::string to_text() const;

    /// What is damaged counts as forgotten; times of the future become `now`.
    [[nodiscard]] static PolicyMemory from_text(const std::string& text, policy::Time now);
};

}  // namespace cfs::service
