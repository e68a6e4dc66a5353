// SPDX-License-Identifier: Apache-2.0
#include "boot/partitions.hpp"

#include "base/error.hpp"
#include "boot/entry_name.hpp"

#include <systemd/sd-device.h>

#include <sys/sysmacros.h>

#include <algorithm>
#include <memory>

namespace cfs::boot {
namespace {

/// A machine has some dozens; whoever makes up more than these does not get the memory too.
constexpr std::size_t kMaxPartitions = 4096;

struct Unref {
    void operator()(sd_device_enumerator* list) const { sd_device_enumerator_unref(list); }
};

void require(int result, const char* doing) {
    if (result < 0) throw_errno(-result, doing);
}

std::string property(sd_device* device, const char* name) {
    const char* value = nullptr;
    if (sd_device_get_property_value(device, name, &value) < 0 || value == nullptr) return {};
    return lower_case(value);
}

Partition describe(sd_device* device) {
    Partition out;
    const char* node = nullptr;
    dev_t number = 0;
    if (sd_device_get_devname(device, &node) >= 0) out.node = node;
    if (sd_device_get_devnum(device, &number) >= 0)
        out.number = std::to_string(major(number)) + ":" + std::to_string(minor(number));
    out.disk = property(device, "ID_PART_ENTRY_DISK");
    out.type = property(device, "ID_PART_ENTRY_TYPE");
    out.uuid = property(device, "ID_PART_ENTRY_UUID");
    out.file_system = property(device, "ID_FS_TYPE");
    return out;
}

}  // namespace

bool is_esp(const Partition& partition) {
    return partition.type == kEspType || partition.type == kEspTypeMbr;
}

std::vector<Partition> list_partitions() {
    sd_device_enumerator* raw = nullptr;
    require(sd_device_enumerator_new(&raw), "looking for partitions");
    const std::unique_ptr<sd_device_enumerator, Unref> list(raw);
    require(sd_device_enumerator_add_match_subsystem(raw, "block", true), "looking for partitions");
    std::vector<Partition> out;
    for (auto* device = sd_device_enumerator_get_device_first(raw);
         device != nullptr && out.size() < kMaxPartitions;
         device = sd_device_enumerator_get_device_next(raw)) {
        Partition partition = describe(device);
        if (!partition.type.empty()) out.push_back(std::move(partition));
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.node < b.node; });
    return out;
}

}  // namespace cfs::boot
