// SPDX-License-Identifier: Apache-2.0
#include "client/output/status_text.hpp"

#include "client/output/human.hpp"
#include "client/output/table.hpp"
#include "client/output/terminal.hpp"

#include <algorithm>
#include <optional>

namespace cfs::client {
namespace {

constexpr std::size_t kLabelWidth = 12;
constexpr std::size_t kShortDigest = 12;
constexpr std::size_t kDigestInTable = 8;  // as in the UKI's name

/// How lines look.
struct Look {
    std::size_t width;
    bool color;
};

/// A label, painted, and text wrapped beside it.
std::string line(const Look& look,
                 std::string_view label,
                 std::string_view text,
                 std::optional<Color> color = {}) {
    std::string head(label);
    head.resize(kLabelWidth, ' ');
    std::string out = color ? paint(head, *color, look.color) : head;
    const std::size_t room = std::max<std::size_t>(look.width, 2 * kLabelWidth) - kLabelWidth;
    bool first = true;
    for (const std::string& part : wrap(text, room)) {
        if (!first) out += std::string(kLabelWidth, ' ');
        out += part + "\n";
        first = false;
    }
    return first ? out + "\n" : out;
}

std::string deployment_line(const Look& look,
                            std::string_view label,
                            const std::optional<Deployment>& deployment) {
    if (!deployment) return line(look, label, "none");
    std::string text = describe(*deployment);
    if (deployment->state == "booted" && !deployment->proven) text += ", on trial";
    if (deployment->locked) text += deployment->for_anyone ? ", waits to be installed" : ", locked";
    if (deployment->trial && deployment->state != "booted") text += ", to be tried once";
    if (!deployment->title.empty()) text += ", " + deployment->title;
    return line(look, label, text);
}

std::string available_line(const Look& look, const Available& available) {
    return line(look,
                "Available",
                "version " + available.version + ", " + sizes_text(available) + "; checked " +
                    human_time(available.checked));
}

std::string failure_lines(const Look& look, const Failure& failure) {
    std::string out =
        line(look,
             "Last error",
             failure.name + " at " + human_time(failure.time) + ": " + failure.message,
             Color::Red);
    if (!failure.hint.empty()) out += line(look, "", "hint: " + failure.hint);
    return out;
}

std::string fallback_lines(const Look& look, const Fallback& fallback) {
    return line(look,
                "Fallback",
                "version " + fallback.version + " (" + fallback.digest.substr(0, kShortDigest) +
                    ") did not come up and is held, noticed " + human_time(fallback.time),
                Color::Red) +
           line(look, "", "because: " + fallback.reason);
}

/// The fallback's line says so already.
std::string held_lines(const Look& look, const Status& status) {
    std::string out;
    for (const HeldVersion& held : status.held) {
        if (status.fallback && status.fallback->digest == held.digest) continue;
        const std::string version = held.version.empty() ? "one" : "version " + held.version;
        out += line(look,
                    "Held",
                    version + " (" + held.digest.substr(0, kShortDigest) + ", " + held.reason +
                        "): not installed by itself");
    }
    return out;
}

bool is_soft(const Status& status) {
    return status.staged && status.soft_reboot_problem == "" && !status.staged->locked;
}

std::string summary(const Status& status, const Look& look) {
    std::string out = line(look, "State", status.state, Color::Bold);
    out += line(look, "Image", status.image.empty() ? "not configured" : status.image);
    out += deployment_line(look, "Booted", status.booted);
    out += deployment_line(look, "Staged", status.staged);
    out += deployment_line(look, "Rollback", status.rollback);
    if (status.fallback) out += fallback_lines(look, *status.fallback);
    out += held_lines(look, status);
    if (!status.verity.empty()) out += line(look, "fs-verity", status.verity);
    if (status.available) out += available_line(look, *status.available);
    if (status.last_error) out += failure_lines(look, *status.last_error);
    if (status.reboot_pending) {
        const auto next = find_pending(status).next;
        out +=
            line(look,
                 "Reboot",
                 "pending: " + (next ? "version " + next->version : std::string("another system")) +
                     " runs after it" + (is_soft(status) ? "; a soft one is enough" : ""),
                 Color::Yellow);
    }
    for (const Blocker& blocker : status.blockers)
        out += line(look, "Waits", blocker.kind + ": " + blocker.text, Color::Yellow);
    for (const std::string& warning : status.warnings) {
        out += line(look, "Warning", warning, Color::Yellow);
    }
    return out;
}

std::string paint_row(const std::string& row, const Deployment& deployment, bool color) {
    if (deployment.state == "booted") return paint(row, Color::Green, color);
    if (!deployment.problem.empty()) return paint(row, Color::Red, color);
    return row;
}

std::string deployments_table(const Status& status, const Look& look) {
    Table table({"VERSION", "STATE", "NEXT", "DIGEST", "INSTALLED", "UKI"});
    for (const Deployment& each : status.deployments) {
        table.add({each.version,
                   each.pinned ? each.state + ", pinned" : each.state,
                   each.next ? "next" : "",
                   each.digest.substr(0, kDigestInTable),
                   human_date(each.installed),
                   each.uki.empty() ? "none" : each.uki});
    }
    const std::vector<std::string> lines = table.lines(look.width);
    std::string out = "\n" + paint(lines.front(), Color::Bold, look.color) + "\n";
    for (std::size_t i = 1; i < lines.size(); ++i) {
        out += paint_row(lines[i], status.deployments[i - 1], look.color) + "\n";
    }
    for (const Deployment& each : status.deployments) {
        if (each.problem.empty()) continue;
        out += line(look, "Problem", each.version + ": " + each.problem, Color::Red);
    }
    return out;
}

}  // namespace

std::string sizes_text(const Available& available) {
    std::string out = human_bytes(available.download_bytes) + " to fetch";
    if (available.unpacked_bytes)
        out += " (" + human_bytes(*available.unpacked_bytes) + " unpacked)";
    return out + ", " + human_bytes(available.reused_bytes) + " here already";
}

std::string describe(const Deployment& deployment) {
    const std::string version = deployment.version.empty() ? "no version" : deployment.version;
    return version + " (" + deployment.digest.substr(0, kShortDigest) + ", " + deployment.state +
           ")";
}

std::string status_text(const Status& status, std::size_t width, bool color) {
    const Look look{width, color};
    std::string out = summary(status, look);
    if (!status.deployments.empty()) out += deployments_table(status, look);
    return out;
}

}  // namespace cfs::client
