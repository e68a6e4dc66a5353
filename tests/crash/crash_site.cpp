// SPDX-License-Identifier: Apache-2.0
#include "crash_site.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "boot/uki_esp.hpp"
#include "image/erofs_reader.hpp"
#include "store/fsck.hpp"
#include "update/machine.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <regex>
#include <sstream>

namespace cfs::test {
namespace {

constexpr const char* kEntries = "esp/EFI/Linux";

std::vector<update::DeploymentRecord> records_of(const settings::Settings& settings,
                                                 std::vector<std::string>* problems = nullptr) {
    const UniqueFd root = open_root(settings.sysroot);
    return update::StateDir(root.get(), false).deployments(problems);
}

/// File names of one stem among the entries.
std::vector<std::string> entries_of(const Site& site, const std::string& stem) {
    std::vector<std::string> out;
    for (const std::string& file : site.entries()) {
        const auto name = boot::parse_entry_name(file);
        if (name && name->stem == stem) out.push_back(file);
    }
    return out;
}

std::string etc_listing(const Site& site, const std::string& image) {
    const std::string path = site.settings.sysroot + "/state/deploy/" + image + "/etc";
    return std::filesystem::exists(path) ? tree_listing(path) : "missing";
}

std::string bytes_of(const Site& site, const std::string& entry) {
    return site.dir.read(std::string(kEntries) + "/" + entry);
}

bool image_is_here(const Site& site, const std::string& image) {
    const auto store =
        store::Repository::open(site.settings.sysroot + "/composefs", store::VerityPolicy::Try);
    const auto digest = Digest::from_hex(image);
    return digest && store->has_image(*digest);
}

std::string store_damage(const Site& site) {
    const auto store =
        store::Repository::open(site.settings.sysroot + "/composefs", store::VerityPolicy::Try);
    std::string out;
    for (const auto& finding : store::fsck(*store, image::erofs_objects, false).findings)
        out += "fsck: " + finding.path + ": " + finding.problem + "\n";
    return out;
}

/// Files among the entries that nobody answers for.
std::string stray_files(const Site& site, const std::vector<update::DeploymentRecord>& records) {
    std::string out;
    for (const std::string& file : site.entries()) {
        const auto name = boot::parse_entry_name(file);
        const bool known = std::any_of(records.begin(), records.end(), [&](const auto& record) {
            if (record.phase == update::Phase::Staged) return record.staged_file == file;
            return name && name->stem == record.stem;
        });
        if (!known) out += "stray file on the ESP: " + file + "\n";
    }
    return out;
}

std::string unbootable(const Site& site, const std::vector<update::DeploymentRecord>& records) {
    std::string out;
    for (const auto& record : records) {
        const std::string name = record.stem + " (" + std::string(to_string(record.phase)) + ")";
        const bool settled = record.phase == update::Phase::Staged ||
                             record.phase == update::Phase::Armed ||
                             record.phase == update::Phase::Booted;
        const std::size_t wanted = record.phase == update::Phase::Staged ? 0 : 1;
        if (!settled) out += "unsettled: " + name + "\n";
        if (entries_of(site, record.stem).size() != wanted) out += "entries of " + name + "\n";
        if (!image_is_here(site, record.image.hex())) out += "no image of " + name + "\n";
        if (etc_listing(site, record.image.hex()) == "missing") out += "no /etc of " + name + "\n";
    }
    return out;
}

std::string leftovers(const Site& site) {
    std::string out;
    const std::string state = site.settings.sysroot + "/state/cfsupdated";
    for (const std::string& folder : {state, state + "/deployments", state + "/work"}) {
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            const std::string name = entry.path().filename();
            if (name.front() == '.' || folder.ends_with("/work"))
                out += "leftover: " + entry.path().native() + "\n";
        }
    }
    return out;
}

std::string next_version(const Site& site, const std::vector<update::DeploymentRecord>& records) {
    const auto boot = boot::UkiEsp::open_path(site.settings.esp, update::describe_uki);
    const auto name = boot::parse_entry_name(boot->predict_next());
    for (const auto& record : records) {
        if (name && record.stem == name->stem) return record.version;
    }
    return "";
}

}  // namespace

settings::Settings machine_settings(const std::string& dir) {
    settings::Settings out;
    out.sysroot = dir + "/sysroot";
    out.esp = dir + "/esp";
    out.run = dir + "/run";
    out.efivars = dir + "/efivars";
    out.cmdline = dir + "/cmdline";
    out.store.verity = settings::Verity::Try;
    out.store.lock_timeout = std::chrono::milliseconds(50);
    out.store.reserve = 0;    // full disks are tested to the last byte
    out.net.connections = 1;  // so that the n-th call is the same one in each run
    out.trust.mode = settings::TrustMode::Verified;
    out.trust.certificates = {Site::fixture("keys/db.crt")};
    out.image = Site::image("v1");
    return out;
}

void copy_machine(const std::string& from, const std::string& to) {
    const auto ended = run_process({"/bin/cp", "-a", "--reflink=auto", from + "/.", to});
    if (ended.code != 0) throw Error(ErrorCode::Io, "copying a machine: " + ended.output);
}

CrashSite::CrashSite(const std::string& prepared) {
    site.settings = machine_settings(site.dir.path());
    copy_machine(prepared, site.dir.path());
}

void CrashSite::guard(const std::vector<std::string>& versions) {
    guarded_.clear();
    for (const auto& record : records_of(site.settings)) {
        const bool wanted =
            versions.empty() ||
            std::find(versions.begin(), versions.end(), record.version) != versions.end();
        const auto files = entries_of(site, record.stem);
        if (!wanted || files.size() != 1) continue;
        const std::string image = record.image.hex();
        guarded_.push_back(
            {record.stem, bytes_of(site, files[0]), image, etc_listing(site, image)});
    }
    if (guarded_.empty()) throw Error(ErrorCode::NotFound, "nothing is installed to be guarded");
}

std::vector<std::string> CrashSite::command(const std::string& driver,
                                            const std::string& verb,
                                            const std::string& tag) const {
    std::vector<std::string> out = {driver, verb, site.dir.path()};
    if (!tag.empty()) out.push_back(tag);
    return out;
}

std::string CrashSite::harm() const {
    std::string out;
    for (const auto& old : guarded_) {
        const auto files = entries_of(site, old.stem);
        if (files.size() != 1) {
            out += "entries of " + old.stem + ": " + std::to_string(files.size()) + "\n";
        } else if (bytes_of(site, files[0]) != old.uki) {
            out += "changed: " + files[0] + "\n";
        }
        if (!image_is_here(site, old.image)) out += "no image of " + old.stem + "\n";
        if (etc_listing(site, old.image) != old.etc) out += "/etc changed of " + old.stem + "\n";
    }
    return out;
}

std::string CrashSite::unsound() {
    std::vector<std::string> problems;
    const auto records = records_of(site.settings, &problems);
    std::string out = harm() + store_damage(site) + stray_files(site, records) +
                      unbootable(site, records) + leftovers(site);
    for (const std::string& problem : problems)
        out += problem + "\n";
    if (next_version(site, records).empty()) out += "the loader's next choice is not ours\n";
    const auto status = site.engine().status();
    if (!status.booted) out += "status: nothing runs\n";
    for (const auto& deployment : status.deployments) {
        if (!deployment.problem.empty()) out += "status: " + deployment.problem + "\n";
    }
    return out;
}

std::string CrashSite::inventory() const {
    static const std::regex serial("-[0-9]{6,}-([0-9a-f]{8})");
    std::vector<std::string> lines;
    for (const char* part : {"sysroot", "esp"}) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(site.dir / part)) {
            const std::string path = entry.path().lexically_relative(site.dir.path());
            // Empty fan-out directories of the store are nothing to anybody.
            if (entry.is_directory() && !entry.is_symlink() && std::filesystem::is_empty(entry))
                continue;
            std::string line = std::regex_replace(path, serial, "-N-$1");
            if (entry.is_regular_file() && !entry.is_symlink() &&
                line.find("cfsupdated") == std::string::npos)
                line += " " + std::to_string(entry.file_size());
            lines.push_back(std::move(line));
        }
    }
    std::sort(lines.begin(), lines.end());
    std::ostringstream out;
    for (const std::string& line : lines)
        out << line << '\n';
    return out.str();
}

}  // namespace cfs::test
