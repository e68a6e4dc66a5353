// SPDX-License-Identifier: Apache-2.0
#include "client/report/parts.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "client/bus/job.hpp"
#include "client/bus/session.hpp"
#include "client/output/json.hpp"
#include "client/report/capture.hpp"
#include "client/report/command_line.hpp"
#include "client/report/files.hpp"
#include "settings/load.hpp"

#include <sys/utsname.h>

#include <array>
#include <cstdlib>
#include <exception>
#include <optional>

namespace cfs::client {
namespace {

enum class Form {
    Text,
    Json,
    Redacted,  ///< it was done where it was read
};

/// Collects parts; what one throws is its problem.
class Gatherer {
 public:
    explicit Gatherer(Redactor& redactor) : redactor_(redactor) {}

    template <typename F>
    void add(const std::string& name, F&& text_of, Form form = Form::Text) {
        ReportPart part{name, {}, {}};
        try {
            part.text = text_of(part.problem);
        } catch (const std::exception& e) {
            part.problem = e.what();
        }
        if (form == Form::Text) part.text = redactor_.redacted(part.text);
        if (form == Form::Json) part.text = redactor_.redacted_json(part.text);
        part.problem = redactor_.redacted(part.problem);
        parts_.push_back(std::move(part));
    }

    /// What programs print, one after the other.
    void add_output(const std::string& name,
                    const std::vector<std::vector<std::string>>& programs) {
        add(name, [&](std::string& problem) {
            std::string text;
            for (const auto& argv : programs) {
                const Captured captured = capture(argv);
                text += captured.text;
                if (!captured.problem.empty())
                    problem += (problem.empty() ? "" : "; ") + captured.problem;
            }
            return text;
        });
    }

    std::vector<ReportPart> take() { return std::move(parts_); }

 private:
    Redactor& redactor_;
    std::vector<ReportPart> parts_;
};

/// Messages that quote the command line are in the journal and in records.
void learn_arguments(Redactor& redactor, const std::string& file) {
    try {
        std::string text = read_report_file(file);
        while (text.ends_with('\n'))
            text.pop_back();
        const std::vector<std::string> words = hidden_arguments(text);
        if (!words.empty()) redactor.learn(printable(text));  // cut, maybe within a word
        for (const std::string& word : words) {
            redactor.learn(word);
            redactor.learn(printable(word, word.size()));
        }
    } catch (const Error&) {  // cmdline.txt says why
    }
}

/// What may stand in any of the parts.
void learn_secrets(Redactor& redactor, const settings::Settings& settings) {
    for (const char* name :
         {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"}) {
        const char* const value = std::getenv(name);
        if (value != nullptr) redactor.learn_url(value);
    }
    redactor.learn_environment(
        capture({"systemctl", "show", "--property=Environment", "cfsupdated.service"}).text);
    redactor.learn_url(settings.net.proxy);
    redactor.learn_url(settings.image);
    learn_arguments(redactor, settings.cmdline);
    std::vector<std::string> files = settings.net.auth_files;
    files.emplace_back("/etc/credstore/cfsupdated.auth.json");
    for (const std::string& file : files) {
        try {
            redactor.learn_auth_file(read_report_file(file));
        } catch (const Error&) {  // not there, or not for this user, who cannot give it away then
        }
    }
}

std::string versions(const std::string& client_version, std::string& problem) {
    std::string out = "cfsctl " + client_version + "\n";
    utsname name{};
    if (::uname(&name) == 0) {
        out += std::string(name.sysname) + " " + name.release + " " + name.version + " " +
               name.machine + "\n";
    }
    const Captured systemd = capture({"systemctl", "--version"});
    problem = systemd.problem;
    return out + systemd.text + "\n" + read_report_file("/etc/os-release");
}

std::string command_line(const std::string& file) {
    std::string out;
    for (const std::string& word : shown_arguments(read_report_file(file)))
        out += word + "\n";
    return out;
}

void add_bus_parts(Gatherer& parts, const std::string& bus) {
    std::optional<BusSession> session;
    const auto manager = [&]() -> BusSession& {
        if (!session) session.emplace(bus);
        return *session;
    };
    parts.add(
        "status.json",
        [&](std::string&) { return to_json(ManagerProxy(manager()).status()) + "\n"; },
        Form::Json);
    parts.add(
        "history.json",
        [&](std::string&) { return to_json(ManagerProxy(manager()).history({})) + "\n"; },
        Form::Json);
}

void add_programs(Gatherer& parts) {
    parts.add_output("journal.txt",
                     {{"journalctl",
                       "--no-pager",
                       "--quiet",
                       "--output=short-iso",
                       "--lines=5000",
                       "--unit=cfsupdated*",
                       "--unit=cfs-prepare-root.service"}});
    parts.add_output("units.txt",
                     {{"systemctl", "list-units", "--failed", "--all", "--plain", "--no-pager"},
                      {"systemctl", "list-timers", "--all", "--no-pager", "cfsupdated*"},
                      {"systemctl", "list-unit-files", "--no-pager", "cfsupdated*"}});
}

}  // namespace

std::vector<ReportPart> gather_report(const ReportSources& sources) {
    settings::Settings settings;
    std::string settings_problem;
    try {
        settings = settings::load(sources.config).settings;
    } catch (const Error& e) {
        settings_problem = e.what();
    }
    Redactor redactor;
    learn_secrets(redactor, settings);
    Gatherer parts(redactor);
    add_bus_parts(parts, sources.bus);
    parts.add("settings.toml", [&](std::string& problem) {
        problem = settings_problem;
        return problem.empty() ? settings::print_config(settings) : "";
    });
    parts.add("versions.txt",
              [&](std::string& problem) { return versions(sources.client_version, problem); });
    parts.add("cmdline.txt", [&](std::string&) { return command_line(settings.cmdline); });
    parts.add(
        "records.txt",
        [&](std::string& problem) { return record_texts(settings, redactor, problem); },
        Form::Redacted);
    parts.add("esp.txt", [&](std::string& problem) { return esp_listing(settings, problem); });
    parts.add("mounts.txt", [&](std::string&) { return read_report_file("/proc/self/mountinfo"); });
    parts.add("disk.txt", [&](std::string&) { return disk_space(settings); });
    add_programs(parts);
    return parts.take();
}

}  // namespace cfs::client
