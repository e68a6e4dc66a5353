// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "service/worker.hpp"
#include "settings/settings.hpp"
#include "update/status.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace cfs::app {

/// Where whoever logs in is told: tell.motd, "auto" being the usual place for the system bus and
/// none for others. Empty: nowhere.
[[nodiscard]] std::string motd_path(const settings::Settings& settings, const std::string& bus);

/// Files for others that say how this machine stands, written anew when that changes: by a thread
/// of their own, because a disk may be slow. What cannot be written is said in the log, once, and
/// stops nothing. Main thread only.
class StatusFiles {
 public:
    StatusFiles(const settings::Settings& settings, const std::string& bus);

    void show(const update::Status& status);

 private:
    struct File {
        File(std::string where, std::function<std::string(const update::Status&)> what)
            : path(std::move(where)), text(std::move(what)) {}

        std::string path;
        /// Empty: there is to be no file.
        std::function<std::string(const update::Status&)> text;
        bool is_shown = false;
        std::string shown;
        std::string problem;              ///< said last; the worker's
        std::atomic<bool> failed{false};  ///< the last time it was written
    };

    static void write(File& file, const std::string& text) noexcept;

    std::deque<File> files_;
    std::unique_ptr<service::Worker> worker_;  // last: ends before what it works on
};

}  // namespace cfs::app
