// SPDX-License-Identifier: Apache-2.0
#include "update/boot_partition.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "base/log.hpp"
#include "boot/esp_search.hpp"
#include "update/machine.hpp"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include <chrono>
#include <thread>
#include <utility>

namespace cfs::update {
namespace {

constexpr const char* kFat = "vfat";
/// A question that is being answered elsewhere has the partition read-only for a moment.
constexpr int kBusyTries = 25;
constexpr std::chrono::milliseconds kBusyPause{200};

std::string number_of(dev_t device) {
    return std::to_string(major(device)) + ":" + std::to_string(minor(device));
}

/// Is that the file system that was meant, and one that firmware reads? Paths and device names are
/// what others made of them since.
bool is_meant(int root, const boot::BootVolume& volume) {
    struct stat st {};
    struct statfs fs {};
    if (::fstat(root, &st) != 0 || ::fstatfs(root, &fs) != 0) return false;
    return number_of(st.st_dev) == volume.number && fs.f_type == MSDOS_SUPER_MAGIC;
}

std::optional<mount::PrivateMount> clone_one(const boot::BootVolume& volume, mount::Access access) {
    for (const std::string& path : volume.mounted) {
        auto clone = mount::clone_mount(path, access);
        if (!clone) clone = mount::PrivateMount{UniqueFd(), open_root(path)};
        if (is_meant(clone->root.get(), volume)) return clone;
    }
    return std::nullopt;
}

mount::PrivateMount mount_patiently(const boot::BootVolume& volume, mount::Access access) {
    for (int attempt = 1;; ++attempt) {
        try {
            return mount::mount_device(kFat, volume.node, access);
        } catch (const Error& e) {
            if (e.code() != ErrorCode::Busy || attempt == kBusyTries) throw;
        }
        std::this_thread::sleep_for(kBusyPause);
    }
}

boot::OpenVolume open_volume(const boot::BootVolume& volume, mount::Access access) {
    auto opened = clone_one(volume, access);
    if (!opened && !volume.node.empty()) {
        opened = mount_patiently(volume, access);
        if (!is_meant(opened->root.get(), volume)) opened.reset();
    }
    if (opened) return {std::move(opened->root), volume.name(), std::move(opened->mount)};
    throw Error(ErrorCode::Io,
                "'" + volume.name() + "' was found by " + volume.found_by +
                    ", and what is there now is another file system",
                "a disk was exchanged meanwhile: try again");
}

boot::SearchPlaces places_of(const settings::Settings& settings) {
    boot::SearchPlaces places;
    places.efivars = settings.efivars;
    places.sysroot = settings.sysroot;
    return places;
}

std::unique_ptr<boot::UkiEsp> open_found(const settings::Settings& settings, mount::Access access) {
    const boot::BootVolumes found = boot::find_boot_volumes(places_of(settings));
    for (const std::string& note : found.notes)
        log::debug("looking for the ESP: " + note);
    const std::string line = "the ESP is " + found.esp.name() + ", by " + found.esp.found_by;
    access == mount::Access::Write ? log::info(line) : log::debug(line);
    std::optional<boot::OpenVolume> xbootldr;
    if (found.xbootldr) xbootldr = open_volume(*found.xbootldr, access);
    return std::make_unique<boot::UkiEsp>(open_volume(found.esp, access),
                                          std::move(xbootldr),
                                          describe_uki,
                                          settings.boot.max_uki_size);
}

}  // namespace

std::unique_ptr<boot::UkiEsp> open_boot_partition(const settings::Settings& settings,
                                                  mount::Access access) {
    return with_context("the setting 'esp'", [&] {
        const std::uint64_t most = settings.boot.max_uki_size;
        auto boot = settings.esp == kFindEsp
                        ? open_found(settings, access)
                        : boot::UkiEsp::open_path(settings.esp, describe_uki, most);
        boot->consult_variables(settings.efivars);
        return boot;
    });
}

}  // namespace cfs::update
