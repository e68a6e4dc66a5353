// SPDX-License-Identifier: Apache-2.0
#include "update/machine.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "base/stop.hpp"
#include "uki/peek.hpp"
#include "update/boot_files.hpp"
#include "update/boot_partition.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <thread>

namespace cfs::update {
namespace {

constexpr std::size_t kMaxCertificateFile = std::size_t{1} << 20;
constexpr std::chrono::milliseconds kLockPause{200};
constexpr std::size_t kMaxCmdline = std::size_t{64} << 10;

UniqueFd open_named(const std::string& path, std::string_view setting) {
    return with_context("the setting '" + std::string(setting) + "'",
                        [&] { return open_root(path); });
}

bool is_certificate_name(const std::string& name) {
    return name.ends_with(".pem") || name.ends_with(".crt") || name.ends_with(".cer");
}

void load_file(const std::string& path, std::vector<Certificate>& out) {
    with_context("the certificate '" + path + "'", [&] {
        const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
        if (!fd) throw_errno("opening");
        auto parsed = Certificate::parse(read_whole(fd.get(), kMaxCertificateFile));
        std::move(parsed.begin(), parsed.end(), std::back_inserter(out));
    });
}

/// /proc files have no size and paths that the administrator set may be links: plain open.
std::optional<std::string> read_text(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) return std::nullopt;
    const Bytes bytes = read_whole(fd.get(), kMaxCmdline);
    return std::string(as_text(bytes));
}

}  // namespace

Machine::Machine(const settings::Settings& settings_in, const Clock& clock_in, mount::Access esp)
    : settings(settings_in),
      clock(clock_in),
      sysroot(open_named(settings.sysroot, "sysroot")),
      state(sysroot.get(), true),
      esp_access_(esp) {}

boot::BootBackend& Machine::boot() {
    if (!boot_) boot_ = open_boot_partition(settings, esp_access_);
    return *boot_;
}

store::Repository& Machine::store() {
    if (!store_) {
        store_ = store::Repository::open(settings.sysroot + "/" + kStorePath,
                                         verity_policy(settings.store.verity));
    }
    return *store_;
}

store::VerityPolicy verity_policy(settings::Verity verity) {
    switch (verity) {
        case settings::Verity::Require:
            return store::VerityPolicy::Require;
        case settings::Verity::Try:
            return store::VerityPolicy::Try;
        case settings::Verity::Off:
            return store::VerityPolicy::Off;
    }
    return store::VerityPolicy::Require;
}

std::optional<boot::UkiDescription> describe_uki(int uki_fd) {
    const uki::OsRelease release = uki::peek_os_release(uki_fd);
    boot::UkiDescription out;
    out.sort_key = release.sort_key();
    out.version = release.version();
    out.title = release.pretty_name();
    return out;
}

std::optional<Digest> booted_image(const settings::Settings& settings) {
    if (const auto record = initrd_record(settings)) return record->digest;
    const auto cmdline = read_text(settings.cmdline);
    if (!cmdline) return std::nullopt;
    const auto arguments = uki::composefs_args(*cmdline);
    if (arguments.empty()) return std::nullopt;
    return arguments.front().digest;
}

std::optional<Digest> booted_image_if_known(const settings::Settings& settings) {
    try {
        return booted_image(settings);
    } catch (const Error&) {
        return std::nullopt;
    }
}

const DeploymentRecord* find_booted(const settings::Settings& settings,
                                    const std::vector<DeploymentRecord>& records) {
    const std::optional<Digest> image = booted_image_if_known(settings);
    const auto initrd = initrd_record(settings);
    const bool soft = initrd && initrd->soft;
    const auto selected =
        boot::parse_entry_name(soft ? *initrd->soft + ".efi" : selected_entry(settings));
    const DeploymentRecord* found = nullptr;
    for (const DeploymentRecord& record : records) {
        const bool bootable = record.phase == Phase::Booted || record.phase == Phase::Armed;
        if (!image || record.image != *image || !bootable) continue;
        if (selected && boot::same_name(selected->stem, record.stem)) return &record;
        const bool better =
            record.phase == Phase::Booted && found != nullptr && found->phase != Phase::Booted;
        if (found == nullptr || better) found = &record;
    }
    return found;
}

std::vector<Certificate> load_anchors(const settings::TrustSettings& trust) {
    std::vector<Certificate> out;
    for (const std::string& path : trust.certificates) {
        std::error_code failed;
        if (std::filesystem::is_directory(path, failed)) {
            for (const std::string& name : list_dir(open_root(path).get())) {
                if (is_certificate_name(name)) load_file(path + "/" + name, out);
            }
        } else if (std::filesystem::exists(path, failed) || is_certificate_name(path)) {
            load_file(path, out);
        }
    }
    return out;
}

UniqueFd wait_for_lock(const StateDir& state,
                       std::chrono::milliseconds patience,
                       const std::stop_token& stop) {
    const auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
        try {
            return state.lock();
        } catch (const Error& e) {
            if (e.code() != ErrorCode::Busy || std::chrono::steady_clock::now() >= until) throw;
        }
        check(stop);
        std::this_thread::sleep_for(kLockPause);
    }
}

LayerLimits layer_limits(const settings::Settings& settings) {
    LayerLimits limits;
    limits.tar.max_entries = settings.limits.layer_entries;
    limits.tar.max_unpacked_bytes = settings.limits.layer_bytes;
    limits.tar.max_metadata_bytes = settings.limits.layer_metadata;
    limits.max_unpacked = settings.limits.layer_bytes + settings.limits.layer_metadata;
    return limits;
}

std::string find_entry(const std::vector<boot::LoaderEntry>& entries, const std::string& stem) {
    for (const auto& entry : entries) {
        if (boot::same_name(entry.name.stem, stem)) return entry.file;
    }
    return {};
}

std::string manifest_pin(const Digest& manifest) {
    return "oci/" + store::encode_ref("localhost/cfsupdated-" + to_oci(manifest));
}

std::string image_pin(const Digest& image) {
    return "cfsupdated/" + image.hex();
}

}  // namespace cfs::update
