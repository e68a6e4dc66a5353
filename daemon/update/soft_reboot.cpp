// SPDX-License-Identifier: Apache-2.0
#include "update/soft_reboot.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "base/log.hpp"
#include "crypto/hasher.hpp"
#include "uki/uki.hpp"
#include "update/boot_files.hpp"
#include "update/deploy.hpp"
#include "update/json.hpp"
#include "update/mapped_file.hpp"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

namespace cfs::update {
namespace {

constexpr const char* kReady = "ready";
constexpr const char* kWanted = "wanted";
constexpr const char* kImage = "image";
constexpr std::size_t kMaxPolicy = std::size_t{64} << 20;
constexpr std::size_t kMaxConfig = std::size_t{64} << 10;

std::string soft_path(const settings::Settings& settings) {
    return settings.run + "/" + kSoftPath;
}

bool can(const settings::Settings& settings) {
    std::error_code failed;
    return std::filesystem::exists(soft_path(settings) + "/" + kReady, failed);
}

/// For the deadline of what then runs, whatever that is.
void note_began(const settings::Settings& settings, const Clock& clock) {
    const auto up =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock.steady().time_since_epoch());
    const boost::json::object began = {{"schema", 1}, {"monotonic_ms", up.count()}};
    const std::string text = boost::json::serialize(began) + "\n";
    replace_file_at(open_root(soft_path(settings)).get(), kSoftBegan, as_bytes(text), 0600);
}

/// KEY=VALUE of /etc/selinux/config; the last one counts.
std::string value_of(const std::string& config, const std::string& key) {
    std::istringstream lines(config);
    std::string out;
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(key + "=")) out = line.substr(key.size() + 1);
    return out;
}

/// What the kernel would be given, as one digest: the names and bytes of all policies of a type.
Digest policy_digest(int etc, const std::string& type) {
    Hasher hasher(HashAlgorithm::Sha256);
    const std::string path = "selinux/" + type + "/policy";
    if (!stat_at(etc, path)) return hasher.finish();
    std::vector<std::string> names = list_dir(open_dir_at(etc, path).get());
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
        const Bytes policy = read_file_at(etc, path + "/" + name, kMaxPolicy);
        hasher.update(as_bytes(name + ":" + std::to_string(policy.size()) + ":"));
        hasher.update(policy);
    }
    return hasher.finish();
}

/// The kernel keeps the policy that it was given. The one of `target` is what its image brought, or
/// what a merge has made of it since; both are right when they are what runs.
bool same_selinux(const Machine& machine,
                  const DeploymentRecord& booted,
                  const DeploymentRecord& target) {
    const auto etc = [&](const DeploymentRecord& record) {
        return open_dir_at(machine.sysroot.get(), state_path(record.image) + "/etc");
    };
    const UniqueFd ours = etc(booted), theirs = etc(target);
    const auto read = [](const UniqueFd& dir) {
        return find_text_at(dir.get(), "selinux/config", kMaxConfig).value_or("");
    };
    const std::string config = read(ours);
    if (config != read(theirs)) return false;
    const std::string type = value_of(config, "SELINUXTYPE");
    if (config.empty() || value_of(config, "SELINUX") == "disabled") return true;
    if (type.empty() || type.find('/') != std::string::npos) return false;
    return policy_digest(ours.get(), type) == policy_digest(theirs.get(), type);
}

std::string cmdline_of(Machine& machine, const DeploymentRecord& record) {
    const UniqueFd fd = machine.store().open_object(record.uki_object);
    const MappedFile file(fd.get());
    const uki::Uki parsed = uki::parse_uki(uki::parse_pe(file.bytes(), file.release_behind()));
    if (parsed.composefs().digest == record.image) return parsed.cmdline();
    throw Error(ErrorCode::StateCorrupt, "its UKI names another image than its record");
}

void remove_quietly(const std::string& path) {
    std::error_code failed;
    std::filesystem::remove(path, failed);
}

/// The image's name comes last: it says that everything is there.
void write_plan(Machine& machine, const DeploymentRecord& target) {
    const std::string path = soft_path(machine.settings);
    const std::string own = path + "/" + target.image.hex();
    const std::string cmdline = cmdline_of(machine, target);
    std::filesystem::create_directories(own);
    const boost::json::object start = {{"schema", 1}, {"stem", target.stem}};
    const std::string text = boost::json::serialize(start) + "\n";
    replace_file_at(open_root(own).get(), kSoftStart, as_bytes(text), 0600);
    replace_file_at(open_root(own).get(), "cmdline", as_bytes(cmdline + "\n"), 0600);
    replace_file_at(open_root(path).get(), kImage, as_bytes(target.image.hex() + "\n"), 0600);
}

/// nullptr, and the log says why, when it is not what `wanted` names that a soft reboot leads to.
const DeploymentRecord* find_wanted(const Machine& machine,
                                    const Overview& all,
                                    const std::string& wanted) {
    std::string why;
    if (all.pending == nullptr || all.pending->image.hex() != wanted) {
        why = "what was asked for waits no longer";
    } else if (all.pending->phase != Phase::Armed) {
        why = "it is not ready to be started";
    } else {
        why = why_no_soft_reboot(machine, all, *all.pending);
    }
    if (why.empty()) return all.pending;
    log::warn("soft-reboot: it stays with what runs: " + why);
    return nullptr;
}

/// The loader counts what it started, and blesses it whatever runs then (systemd#40386).
bool is_on_trial(const Overview& all, const settings::Settings& settings) {
    const auto counted = boot::parse_entry_name(counted_entry(settings));
    return counted && std::any_of(all.records.begin(), all.records.end(), [&](const auto& record) {
               return boot::same_name(counted->stem, record.stem) && !record.proven;
           });
}

}  // namespace

std::string why_no_soft_reboot(const Machine& machine,
                               const Overview& all,
                               const DeploymentRecord& target) {
    const auto record = initrd_record(machine.settings);
    if (!can(machine.settings))
        return "cfsupdated-soft-reboot.service does not run: it needs systemd 254 or newer, and "
               "cfs-prepare-root in the running system";
    if (all.booted == nullptr || !record) return "what runs was not mounted by cfs-prepare-root";
    if (is_on_trial(all, machine.settings)) return "what the loader started is on trial still";
    if (target.locked && target.phase == Phase::Staged) return "it is locked";
    if (target.tried_once) return "the boot loader is to try it once";
    if (target.image == all.booted->image) return "it has the image that runs";
    if (target.boot_digest.empty() || target.boot_digest != all.booted->boot_digest)
        return "its kernel, initrd or kernel command line is another one";
    if (record->etc != "bind") return "the running /etc is no full copy";
    if (!same_selinux(machine, *all.booted, target)) return "its SELinux policy is another one";
    return {};
}

void want_soft_reboot(const settings::Settings& settings, const std::string& image) {
    if (image.empty()) return remove_quietly(soft_path(settings) + "/" + kWanted);
    if (!can(settings))
        throw Error(ErrorCode::Unsupported,
                    "this machine has no soft reboot to another version",
                    "restart it; 'systemctl status cfsupdated-soft-reboot.service' says why");
    replace_file_at(open_root(soft_path(settings)).get(), kWanted, as_bytes(image), 0600);
}

bool is_soft_reboot_wanted(const settings::Settings& settings) {
    std::error_code failed;
    return std::filesystem::exists(soft_path(settings) + "/" + kWanted, failed);
}

std::string prepare_soft_reboot(const settings::Settings& settings, const Clock& clock) {
    if (!can(settings)) return {};
    const std::string path = soft_path(settings);
    remove_quietly(path + "/" + kImage);
    const std::string wanted =
        find_text_at(open_root(path).get(), kWanted, kMaxConfig).value_or("");
    remove_quietly(path + "/" + kWanted);
    note_began(settings, clock);
    if (!initrd_record(settings)) return {};
    Machine machine(settings, clock);
    Overview all;
    take_overview(machine, all);
    const DeploymentRecord* to = wanted.empty() ? nullptr : find_wanted(machine, all, wanted);
    // systemd takes /etc, /var and /sysroot away, and nobody but the initrd brings them back.
    if (to == nullptr) to = &require_booted(all);
    write_plan(machine, *to);
    return to == all.booted ? "" : to->version;
}

}  // namespace cfs::update
