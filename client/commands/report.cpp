// SPDX-License-Identifier: Apache-2.0
#include "archive/tar_writer.hpp"
#include "base/error.hpp"
#include "client/commands/commands.hpp"
#include "client/image/output_file.hpp"
#include "client/output/json.hpp"
#include "client/output/result_text.hpp"
#include "client/report/parts.hpp"

#include <array>
#include <ctime>
#include <iostream>

namespace cfs::client {
namespace {

std::string default_name(std::time_t now) {
    std::tm utc{};
    std::array<char, 64> text{};
    if (::gmtime_r(&now, &utc) != nullptr)
        std::strftime(text.data(), text.size(), "cfsctl-report-%Y%m%d-%H%M%SZ", &utc);
    return std::string(text.data()) + ".tar.gz";
}

/// "cfsctl-report-20260131-120000Z/", so that unpacking makes one folder.
std::string folder_of(const std::string& name) {
    return name.substr(0, name.size() - std::string_view(".tar.gz").size()) + "/";
}

void write_archive(Sink& sink,
                   const std::vector<ReportPart>& parts,
                   const std::string& folder,
                   std::time_t now) {
    archive::TarWriter tar(sink);
    tar.file(folder + "report.json", as_bytes(report_index(parts, now) + "\n"), now);
    for (const ReportPart& part : parts)
        tar.file(folder + part.name, as_bytes(part.text), now);
    tar.finish();
}

}  // namespace

ExitCode run(const Report& options, const Global& global) {
    if (options.output == "-" && global.json) {
        throw Error(ErrorCode::InvalidArgs,
                    "standard output is for the report or for JSON, not for both",
                    "name a file with --output");
    }
    const std::time_t now = std::time(nullptr);
    const std::string name = default_name(now);
    const std::string path = options.output.empty() ? name : options.output;
    // Secrets are out, but who reads the rest is for who sends it to decide. Our own name can be
    // known before, and root may stand in a directory of somebody else.
    OutputFile file(path, options.output.empty() ? OutputKind::New : OutputKind::Replace, 0600);
    const auto parts = gather_report({global.bus, options.config, CFS_VERSION});
    write_archive(file, parts, folder_of(name), now);
    file.commit();
    ReportOutcome outcome{path, {}};
    for (const ReportPart& part : parts)
        outcome.parts.push_back({part.name, part.text.size(), part.problem});
    // The archive itself may be what goes to standard output.
    std::ostream& to = path == "-" ? std::cerr : std::cout;
    to << (global.json ? to_json(outcome) + "\n" : report_text(outcome));
    return ExitCode::Done;
}

}  // namespace cfs::client
