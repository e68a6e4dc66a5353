// SPDX-License-Identifier: Apache-2.0
#include "client/output/result_text.hpp"

#include "client/output/human.hpp"
#include "client/output/status_text.hpp"

namespace cfs::client {
namespace {

std::string lines(const std::string& prefix, const std::vector<std::string>& items) {
    std::string out;
    for (const std::string& item : items)
        out += prefix + item + "\n";
    return out;
}

std::string bytes_line(const UpdateOutcome& outcome) {
    if (outcome.fetched_bytes == 0 && outcome.reused_bytes == 0) return {};
    return "  fetched " + human_bytes(outcome.fetched_bytes) + ", reused " +
           human_bytes(outcome.reused_bytes) + "\n";
}

std::string etc_lines(const UpdateOutcome& outcome) {
    std::string out;
    if (!outcome.etc_changes.empty()) out += "  /etc:\n" + lines("    ", outcome.etc_changes);
    if (outcome.etc_conflicts.empty()) return out;
    return out + "  conflicts in /etc:\n" + lines("    ", outcome.etc_conflicts);
}

/// Details are whole lines, as long as somebody made them; every one gets an indent.
std::string indent(const std::string& text) {
    std::string out;
    std::size_t start = 0;
    while (start < text.size()) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        out += "  " + text.substr(start, end - start) + "\n";
        start = end + 1;
    }
    return out;
}

std::string damage_lines(const VerifyOutcome& outcome) {
    std::string out = lines("", outcome.items);
    if (outcome.items_omitted == 0) return out;
    return out + "and " + std::to_string(outcome.items_omitted) + " more\n";
}

/// "2 deployments, 12 objects (3.0 MiB read)"
std::string scope_text(const VerifyOutcome& outcome) {
    return plural(outcome.deployments.size(), "deployment") + ", " +
           plural(outcome.objects, "object") + " (" + human_bytes(outcome.bytes) + " read)";
}

}  // namespace

std::string check_text(const CheckOutcome& outcome) {
    const Available& available = outcome.available;
    if (!outcome.update_available) {
        return "up to date: version " + available.version + " of " + available.image + "\n";
    }
    return "update available: version " + available.version + " of " + available.image + "\n  " +
           sizes_text(available) + "\n  hint: 'cfsctl update' installs it\n";
}

std::string update_text(const UpdateOutcome& outcome) {
    const std::string name = describe(outcome.deployment);
    if (outcome.outcome == "nothing-to-do") return "nothing to do: " + name + " is here already\n";
    if (outcome.outcome == "staged") {
        return "staged " + name + "\n" + bytes_line(outcome) + etc_lines(outcome) +
               (outcome.deployment.locked ? "  hint: 'cfsctl finalize' makes it the next boot\n"
                                          : "  hint: reboot to run it\n");
    }
    return "installed " + name + "\n" + bytes_line(outcome) + etc_lines(outcome) +
           "  hint: reboot to run it\n";
}

std::string installed_text(const UpdateOutcome& outcome) {
    return "installed " + describe(outcome.deployment) + "\n  UKI     " + outcome.deployment.uki +
           "\n" + bytes_line(outcome);
}

std::string rollback_text(const Deployment& deployment) {
    const bool running = deployment.state == "booted";
    return "next boot: " + describe(deployment) + "\n" +
           (running ? "  it is what runs now\n" : "  hint: reboot to run it\n");
}

std::string collect_text(const CollectOutcome& outcome) {
    std::string out;
    const char* verb = outcome.dry_run ? "would drop " : "dropped ";
    for (const std::string& digest : outcome.deployments) {
        out += verb + std::string("deployment ") + digest + "\n";
    }
    if (outcome.dry_run) {
        out += lines("  ", outcome.items);
        if (outcome.items_omitted > 0) {
            out += "  and " + std::to_string(outcome.items_omitted) + " more\n";
        }
    }
    out += verb + plural(outcome.objects, "object") + ", " + human_bytes(outcome.bytes) + "\n";
    return out + lines("warning: ", outcome.warnings);
}

std::string pin_text(const PinOutcome& outcome) {
    const std::string what = outcome.deployment.pinned ? "pinned" : "not pinned";
    return (outcome.changed ? "now " : "nothing to do: ") + what + ": " +
           describe(outcome.deployment) + "\n";
}

std::string report_text(const ReportOutcome& outcome) {
    std::string out = (outcome.file == "-" ? "the report has " : "wrote " + outcome.file + ": ") +
                      plural(outcome.parts.size(), "part") + "\n";
    for (const ReportOutcome::Part& part : outcome.parts) {
        if (!part.problem.empty())
            out += "  not all of " + part.name + ": " + shorten(part.problem, 300) + "\n";
    }
    return out +
           "  hint: look through it before you send it: it names images, versions and hosts\n";
}

std::string pending_text(const PendingOutcome& outcome) {
    std::string out;
    if (outcome.pending) {
        out = "reboot pending: " +
              (outcome.next ? describe(*outcome.next) : std::string("an entry of another tool")) +
              " runs after it\n";
    } else {
        out = "no reboot pending: " +
              (outcome.booted ? describe(*outcome.booted) : std::string("what runs")) +
              " is what starts next\n";
    }
    if (!outcome.locked) return out;
    return out + "  hint: " + describe(*outcome.locked) +
           " is locked; 'cfsctl finalize' makes it the next boot\n";
}

std::string verify_text(const VerifyOutcome& outcome) {
    std::string out = damage_lines(outcome);
    out += std::string(outcome.sound ? "sound: " : "damaged: ") + scope_text(outcome);
    if (!outcome.sound) {
        out += "; " + std::to_string(outcome.missing) + " missing, " +
               std::to_string(outcome.damaged) + " damaged\n" +
               "  hint: 'cfsctl repair' fetches what is needed again";
    }
    return out + "\n" + lines("warning: ", outcome.warnings);
}

std::string repair_text(const RepairOutcome& outcome) {
    const std::string warnings = lines("warning: ", outcome.found.warnings);
    if (outcome.found.sound) {
        return "nothing to do: " + scope_text(outcome.found) + ", all sound\n" + warnings;
    }
    return damage_lines(outcome.found) + "repaired all " + std::to_string(outcome.repaired) +
           ": fetched " + plural(outcome.layers, "layer") + ", " +
           human_bytes(outcome.fetched_bytes) + "\n" + warnings;
}

std::string etc_preview_text(const EtcPreview& preview) {
    std::string out;
    for (const EtcConflict& conflict : preview.conflicts) {
        out += "conflict  /etc/" + conflict.path + ": " + conflict.what + "\n    " +
               conflict.resolution + "\n    hint: " + conflict.hint + "\n";
    }
    for (const EtcChange& change : preview.changes) {
        out += change.kind + "  /etc/" + change.path;
        if (!change.detail.empty()) out += "  (" + change.detail + ")";
        out += "\n";
    }
    if (preview.omitted != 0) out += "and " + std::to_string(preview.omitted) + " more\n";
    if (out.empty()) {
        return preview.local_only ? "nothing in /etc differs from the running image\n"
                                  : "nothing in /etc changes\n";
    }
    return out;
}

std::string etc_restored_text(const EtcRestored& restored) {
    const std::string path = "/etc/" + restored.path;
    if (!restored.restored) return path + " is as the running image has it\n";
    return "restored " + path + " (was " + restored.was + ")\n";
}

std::string fsck_text(const store::FsckReport& report) {
    std::string out;
    for (const store::Finding& finding : report.findings) {
        out += std::string(store::to_string(finding.kind)) + " " + finding.path + ": " +
               finding.problem + "\n";
    }
    out += std::string(report.clean ? "clean: " : "damaged: ") +
           plural(report.objects_checked, "object") + " (" + human_bytes(report.bytes_checked) +
           "), " + plural(report.images_checked, "image") + ", " +
           plural(report.streams_checked, "stream") + ", " + plural(report.refs_checked, "ref");
    if (!report.clean) out += "; " + plural(report.findings.size(), "finding");
    return out + "\n";
}

std::string error_text(const Error& error) {
    std::string out = "cfsctl: " + std::string(error.what()) + "\n" + indent(error.details());
    if (!error.hint().empty()) out += "  hint: " + error.hint() + "\n";
    return out;
}

std::string job_line(const JobState& job) {
    std::string out = "job " + std::to_string(job.id) + " " + job.kind + ": " + job.state;
    if (job.ended()) return out + "\n";
    if (!job.stage.empty()) out += ", " + job.stage;
    if (job.bytes_total > 0) {
        out += " " + human_bytes(job.bytes_done) + "/" + human_bytes(job.bytes_total);
    }
    if (!job.message.empty()) out += " (" + job.message + ")";
    return out + "\n";
}

}  // namespace cfs::client
