// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "client/bus/decode.hpp"
#include "client/bus/job.hpp"
#include "client/bus/password_agent.hpp"
#include "client/commands/commands.hpp"
#include "client/output/json.hpp"
#include "client/output/result_text.hpp"
#include "client/output/terminal.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <iostream>

namespace cfs::client {
namespace {

constexpr std::size_t kMaxDiff = std::size_t{16} << 20;

bus::VariantMap run_verb(const Global& global, const char* method, const bus::VariantMap& options) {
    const PasswordAgent agent(global.bus, global.ask_password);
    BusSession session(global.bus, global.ask_password);
    ProgressView view(STDERR_FILENO, is_terminal(STDERR_FILENO));
    return run_job(session, method, options, view);
}

/// Content of /etc never goes through the bus, where others could read it: the daemon writes it to
/// a file of ours that has no name.
EtcPreview preview(bus::VariantMap options, bool with_diff, const Global& global) {
    UniqueFd file;
    if (with_diff) {
        file.reset(::memfd_create("cfsctl-etc-diff", MFD_CLOEXEC));
        if (!file) throw_errno("making a file for the differences");
        options["content"] = sdbus::Variant{sdbus::UnixFd{file.get()}};
    }
    EtcPreview out = decode_etc_preview(run_verb(global, "PreviewEtc", options));
    if (!with_diff) return out;
    if (::lseek(file.get(), 0, SEEK_SET) != 0) throw_errno("reading the differences");
    out.diff = std::string(as_text(read_whole(file.get(), kMaxDiff)));
    return out;
}

ExitCode show(const EtcPreview& preview, const Global& global) {
    if (global.json) {
        std::cout << to_json(preview) << '\n';
    } else {
        std::cout << etc_preview_text(preview);
        std::cout << preview.diff.value_or("");
    }
    const bool nothing = preview.changes.empty() && preview.conflicts.empty();
    return nothing ? ExitCode::NothingToDo : ExitCode::Done;
}

}  // namespace

ExitCode run(const EtcDiff& options, const Global& global) {
    bus::VariantMap map{{"deployment", sdbus::Variant{std::string("booted")}}};
    if (!options.path.empty()) map["path"] = sdbus::Variant{options.path};
    const EtcPreview local = preview(map, !options.summary, global);
    // What has no text to show (modes, links that went, directories) is listed all the same.
    return show(local, global);
}

ExitCode run(const EtcPreviewVerb& options, const Global& global) {
    bus::VariantMap map;
    if (!options.path.empty()) map["path"] = sdbus::Variant{options.path};
    if (!options.deployment.empty()) map["deployment"] = sdbus::Variant{options.deployment};
    return show(preview(map, options.diff, global), global);
}

ExitCode run(const EtcRestore& options, const Global& global) {
    const EtcRestored restored = decode_etc_restored(
        run_verb(global, "RestoreEtc", {{"path", sdbus::Variant{options.path}}}));
    std::cout << (global.json ? to_json(restored) + "\n" : etc_restored_text(restored));
    return restored.restored ? ExitCode::Done : ExitCode::NothingToDo;
}

}  // namespace cfs::client
