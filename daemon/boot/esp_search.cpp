// SPDX-License-Identifier: Apache-2.0
#include "boot/esp_search.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "boot/efi_text.hpp"
#include "boot/entry_name.hpp"
#include "boot/mount_table.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

namespace cfs::boot {
namespace {

/// In systemd's order.
constexpr std::array<const char*, 3> kUsualPlaces = {"/efi", "/boot", "/boot/efi"};
constexpr std::size_t kMaxMountTable = std::size_t{8} << 20;
constexpr std::string_view kFat = "vfat";

bool is_uuid(std::string_view text) {
    constexpr std::string_view kForm = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
    if (text.size() != kForm.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
        if (kForm[i] == 'h' ? !hex : text[i] != '-') return false;
    }
    return true;
}

using Found = std::vector<const Partition*>;

std::string nodes_of(const Found& found) {
    std::string out;
    for (const Partition* partition : found)
        out += (out.empty() ? "" : ", ") + printable(partition->node, 100);
    return out;
}

class Search {
 public:
    explicit Search(const SearchPlaces& places)
        : places_(places), partitions_(places.partitions()) {
        read_mounts();
    }

    BootVolumes run() {
        out_.esp = find_esp();
        add_xbootldr();
        out_.notes = std::move(tried_);
        return std::move(out_);
    }

 private:
    void read_mounts() {
        const auto [folder, name] = split_parent(places_.mountinfo);
        const auto text = find_text_at(open_root(folder).get(), name, kMaxMountTable);
        mounts_ = parse_mount_table(text.value_or(""));
    }

    BootVolume find_esp() {
        root_disks_ = find_root_disks();
        if (const Partition* esp = by_loader()) return volume(*esp, "LoaderDevicePartUUID");
        if (const Partition* esp = by_type()) return volume(*esp, "its type, on the root's disk");
        if (auto esp = by_mount()) return std::move(*esp);
        std::string all;
        for (const std::string& line : tried_)
            all += (all.empty() ? "" : "; ") + line;
        throw Error(ErrorCode::NotFound,
                    "no EFI system partition was found: " + all,
                    "name the directory where it is mounted with 'esp' in cfsupdated.toml");
    }

    /// The device of the sysroot; of a file system on several devices, the one that was named.
    std::vector<std::string> find_root_disks() {
        std::error_code failed;
        const auto path = std::filesystem::weakly_canonical(places_.sysroot, failed);
        const auto* mount = mount_below(mounts_, failed ? places_.sysroot : path.native());
        if (mount == nullptr) return {};
        auto disks = disks_below(places_.sysfs, mount->number);
        struct stat st {};
        if (!disks.empty() || ::stat(mount->source.c_str(), &st) != 0 || !S_ISBLK(st.st_mode))
            return disks;
        return disks_below(
            places_.sysfs,
            std::to_string(major(st.st_rdev)) + ":" + std::to_string(minor(st.st_rdev)));
    }

    [[nodiscard]] bool is_on_root_disk(const Partition& partition) const {
        return std::find(root_disks_.begin(), root_disks_.end(), partition.disk) !=
               root_disks_.end();
    }

    /// Those of `all` on the root's disks; `all` itself where that leaves none.
    [[nodiscard]] Found preferred(const Found& all) const {
        Found out;
        for (const Partition* each : all) {
            if (is_on_root_disk(*each)) out.push_back(each);
        }
        return out.empty() ? all : out;
    }

    std::string loader_uuid() {
        try {
            const UniqueFd dir = open_root(places_.efivars);
            const auto content = find_text_at(dir.get(), kLoaderDevicePartUuid, kMaxEfiVariable);
            if (!content) {
                tried_.emplace_back("the EFI variable LoaderDevicePartUUID is not there");
                return {};
            }
            const std::string text = lower_case(efi_text(*content));
            if (is_uuid(text)) return text;
            tried_.push_back("the EFI variable LoaderDevicePartUUID holds no UUID but '" +
                             printable(text, 60) + "'");
        } catch (const Error& e) {
            tried_.push_back(std::string("the EFI variables cannot be read: ") + e.what());
        }
        return {};
    }

    const Partition* by_loader() {
        const std::string uuid = loader_uuid();
        if (uuid.empty()) return nullptr;
        Found found;
        for (const Partition& partition : partitions_) {
            if (partition.uuid == uuid) found.push_back(&partition);
        }
        found = preferred(found);
        if (found.size() == 1) return found.front();
        tried_.push_back("the boot loader came from the partition " + uuid + ", which " +
                         (found.empty() ? "is not here" : "is several: " + nodes_of(found)));
        return nullptr;
    }

    const Partition* by_type() {
        if (root_disks_.empty()) {
            tried_.push_back("the disk of '" + places_.sysroot + "' is not known");
            return nullptr;
        }
        Found found;
        for (const Partition& partition : partitions_) {
            if (is_esp(partition) && is_on_root_disk(partition)) found.push_back(&partition);
        }
        if (found.size() == 1) return found.front();
        if (found.empty()) {
            tried_.push_back("no partition on the disk of '" + places_.sysroot +
                             "' has the type of an EFI system partition");
            return nullptr;
        }
        Found mounted;
        for (const Partition* each : found) {
            if (is_at_usual_place(*each)) mounted.push_back(each);
        }
        if (mounted.size() == 1) return mounted.front();
        tried_.push_back("several partitions on the disk of '" + places_.sysroot +
                         "' have the type of an EFI system partition: " + nodes_of(found));
        return nullptr;
    }

    [[nodiscard]] bool is_at_usual_place(const Partition& partition) const {
        return std::any_of(kUsualPlaces.begin(), kUsualPlaces.end(), [&](const char* path) {
            const auto* mount = find_mount(mounts_, path);
            return mount != nullptr && mount->number == partition.number;
        });
    }

    std::optional<BootVolume> by_mount() {
        for (const char* path : kUsualPlaces) {
            trigger(path);
            const auto* mount = find_mount(mounts_, path);
            if (mount == nullptr) continue;
            if (mount->file_system != kFat || mount->root != "/") {
                tried_.push_back("what is mounted at " + std::string(path) + " is " +
                                 (mount->file_system != kFat ? printable(mount->file_system, 40)
                                                             : "a part of a file system"));
                continue;
            }
            const Partition* known = find_number(mount->number);
            if (known == nullptr || is_esp(*known)) return mounted_volume(*mount, known);
            tried_.push_back("the partition at " + std::string(path) + " has the type " +
                             printable(known->type, 60));
        }
        tried_.emplace_back("no EFI system partition is mounted at /efi, /boot or /boot/efi");
        return std::nullopt;
    }

    /// Opening the directory mounts what is to be there.
    void trigger(const char* path) {
        const auto* mount = find_mount(mounts_, path);
        if (mount == nullptr || mount->file_system != "autofs") return;
        try {
            (void)open_root(path);
            read_mounts();
        } catch (const Error& e) {
            tried_.push_back(std::string("the automount at ") + path + " fails: " + e.what());
        }
    }

    [[nodiscard]] const Partition* find_number(const std::string& number) const {
        for (const Partition& partition : partitions_) {
            if (partition.number == number) return &partition;
        }
        return nullptr;
    }

    [[nodiscard]] BootVolume mounted_volume(const MountPoint& mount, const Partition* known) const {
        const std::string found_by = "being mounted at " + mount.path;
        if (known != nullptr) return volume(*known, found_by);
        return {{}, mount.number, {mount.path}, found_by};
    }

    [[nodiscard]] BootVolume volume(const Partition& partition, std::string found_by) const {
        BootVolume out{partition.node, partition.number, {}, std::move(found_by)};
        for (const MountPoint& mount : mounts_) {
            if (mount.number == partition.number && mount.root == "/" && mount.file_system == kFat)
                out.mounted.push_back(mount.path);
        }
        return out;
    }

    /// Loaders read entries of both, so one that cannot be used is no failure.
    void add_xbootldr() {
        const Partition* esp = find_number(out_.esp.number);
        if (esp == nullptr || esp->disk.empty()) return;
        Found found;
        for (const Partition& partition : partitions_) {
            if (partition.type == kXbootldrType && partition.disk == esp->disk)
                found.push_back(&partition);
        }
        if (found.size() == 1 && found.front()->file_system == kFat) {
            out_.xbootldr = volume(*found.front(), "its type, beside " + esp->node);
        } else if (!found.empty()) {
            tried_.push_back("not used as extended boot loader partition: " + nodes_of(found) +
                             (found.size() > 1 ? " (several)" : " (its file system is not FAT)"));
        }
    }

    const SearchPlaces& places_;
    std::vector<Partition> partitions_;
    std::vector<MountPoint> mounts_;
    std::vector<std::string> root_disks_;
    std::vector<std::string> tried_;
    BootVolumes out_;
};

}  // namespace

std::string BootVolume::name() const {
    if (!node.empty()) return node;
    return mounted.empty() ? number : mounted.front();
}

BootVolumes find_boot_volumes(const SearchPlaces& places) {
    return Search(places).run();
}

}  // namespace cfs::boot
