// SPDX-License-Identifier: Apache-2.0
#include "app/status_files.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/publish_file.hpp"
#include "service/metrics.hpp"
#include "service/motd.hpp"

#include <exception>
#include <utility>

namespace cfs::app {

std::string motd_path(const settings::Settings& settings, const std::string& bus) {
    if (settings.tell.motd != "auto") return settings.tell.motd;
    return bus == "system" ? "/run/motd.d/cfsupdated" : "";
}

StatusFiles::StatusFiles(const settings::Settings& settings, const std::string& bus) {
    const std::string motd = motd_path(settings, bus);
    if (!motd.empty()) files_.emplace_back(motd, service::motd_text);
    const std::string& metrics = settings.tell.metrics;
    if (!metrics.empty()) files_.emplace_back(metrics, service::metrics_text);
    if (!files_.empty())
        worker_ = std::make_unique<service::Worker>(service::Worker::AtEnd::Finish);
}

void StatusFiles::show(const update::Status& status) {
    for (File& file : files_) {
        std::string text = file.text(status);
        // One that could not be written is tried again with whatever changes next.
        const bool failed = file.failed.exchange(false);
        if (file.is_shown && text == file.shown && !failed) continue;
        file.is_shown = true;
        file.shown = text;
        worker_->post([&file, text = std::move(text)] { write(file, text); });
    }
}

void StatusFiles::write(File& file, const std::string& text) noexcept {
    std::string problem;
    try {
        if (text.empty()) {
            withdraw_file(file.path);
        } else {
            publish_file(file.path, text);
        }
    } catch (const std::exception& e) {
        problem = e.what();
    }
    if (!problem.empty() && problem != file.problem)
        log::warn("'" + file.path + "' cannot be brought up to date: " + problem);
    file.failed = !problem.empty();
    file.problem = std::move(problem);
}

}  // namespace cfs::app
