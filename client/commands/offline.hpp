// SPDX-License-Identifier: Apache-2.0
/// \file What the verbs without a daemon share.
#pragma once

#include "client/image/load.hpp"
#include "client/interrupts.hpp"
#include "client/options.hpp"
#include "client/output/progress_view.hpp"

#include <stop_token>

namespace cfs::client {

/// One blocking job of this process: its progress on standard error, and a stop token that the
/// first Ctrl-C fires.
class OfflineJob {
 public:
    OfflineJob();

    [[nodiscard]] update::ProgressSink& progress() { return view_; }

    [[nodiscard]] std::stop_token stop() const { return source_.get_token(); }

    /// For what loads images.
    [[nodiscard]] LoadContext context() { return {progress(), stop()}; }

    /// Call before the result is printed.
    void finish() { view_.finish(); }

 private:
    std::stop_source source_;
    Interrupts interrupts_;
    ProgressView view_;
};

/// Settings as an image builder needs them: defaults, and how to reach the registry.
[[nodiscard]] settings::Settings offline_settings(const SourceOptions& reach);

}  // namespace cfs::client
