// SPDX-License-Identifier: Apache-2.0
#include "client/output/status_text.hpp"

#include "client/output/human.hpp"
#include "client/output/table.hpp"
#include "client/output/terminal.hpp"

#include <optional>

namespace cfs::client {
namespace {

constexpr std::size_t kLabelWidth = 12;
constexpr std::size_t kShortDigest = 12;

std::string line(std::string_view label, std::string_view text) {
    std::string out(label);
    out.resize(kLabelWidth, ' ');
    return out + std::string(text) + "\n";
}

std::string deployment_line(std::string_view label, const std::optional<Deployment>& deployment) {
    if (!deployment) return line(label, "none");
    std::string text = describe(*deployment);
    if (!deployment->title.empty()) text += "  " + deployment->title;
    return line(label, text);
}

std::string available_line(const Available& available) {
    return line("Available",
                "version " + available.version + ", " + human_bytes(available.download_bytes) +
                    " to fetch, " + human_bytes(available.reused_bytes) + " here already") +
           line("Checked", human_time(available.checked));
}

std::string failure_lines(const Failure& failure, bool color) {
    std::string out = line("Last error",
                           paint(failure.name, Color::Red, color) + " at " +
                               human_time(failure.time) + ": " + failure.message);
    if (!failure.hint.empty()) out += line("", "hint: " + failure.hint);
    return out;
}

std::string summary(const Status& status, bool color) {
    std::string out = line("State", paint(status.state, Color::Bold, color));
    out += line("Image", status.image.empty() ? "not configured" : status.image);
    out += deployment_line("Booted", status.booted);
    out += deployment_line("Staged", status.staged);
    out += deployment_line("Rollback", status.rollback);
    if (!status.verity.empty()) out += line("fs-verity", status.verity);
    if (status.available) out += available_line(*status.available);
    if (status.last_error) out += failure_lines(*status.last_error, color);
    if (status.reboot_pending) {
        out += line("Reboot",
                    paint("pending", Color::Yellow, color) +
                        ": the loader's next choice "
                        "is not what runs");
    }
    for (const std::string& warning : status.warnings) {
        out += line("Warning", paint(warning, Color::Yellow, color));
    }
    return out;
}

std::string paint_row(const std::string& row, const Deployment& deployment, bool color) {
    if (deployment.state == "booted") return paint(row, Color::Green, color);
    if (!deployment.problem.empty()) return paint(row, Color::Red, color);
    return row;
}

std::string deployments_table(const Status& status, std::size_t width, bool color) {
    Table table({"VERSION", "STATE", "NEXT", "DIGEST", "INSTALLED", "UKI"});
    for (const Deployment& each : status.deployments) {
        table.add({each.version,
                   each.state,
                   each.next ? "next" : "",
                   each.digest.substr(0, kShortDigest),
                   human_time(each.installed),
                   each.uki.empty() ? "none" : each.uki});
    }
    const std::vector<std::string> lines = table.lines(width);
    std::string out = "\n" + paint(lines.front(), Color::Bold, color) + "\n";
    for (std::size_t i = 1; i < lines.size(); ++i) {
        out += paint_row(lines[i], status.deployments[i - 1], color) + "\n";
    }
    for (const Deployment& each : status.deployments) {
        if (!each.problem.empty()) out += line("Problem", each.version + ": " + each.problem);
    }
    return out;
}

}  // namespace

std::string describe(const Deployment& deployment) {
    const std::string version = deployment.version.empty() ? "no version" : deployment.version;
    return version + " (" + deployment.digest.substr(0, kShortDigest) + ", " + deployment.state +
           ")";
}

std::string status_text(const Status& status, std::size_t width, bool color) {
    std::string out = summary(status, color);
    if (!status.deployments.empty()) out += deployments_table(status, width, color);
    return out;
}

}  // namespace cfs::client
