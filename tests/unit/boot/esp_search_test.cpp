// SPDX-License-Identifier: Apache-2.0
#include "boot/esp_search.hpp"

#include "base/error.hpp"
#include "boot/efi_text.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace cfs::boot {
namespace {

constexpr const char* kUuid = "0a1b2c3d-0000-4000-8000-00000000000a";
constexpr const char* kLoaderUuid = "0A1B2C3D-0000-4000-8000-00000000000A";

/// A machine in a directory: the disk vda with the ESP vda1 and the root vda2, the disk vdb.
class EspSearch : public testing::Test {
 protected:
    EspSearch() {
        add_disk("vda", "254:0");
        add_partition("vda", "vda1", "254:1");
        add_partition("vda", "vda2", "254:2");
        add_disk("vdb", "254:16");
        add_partition("vdb", "vdb1", "254:17");
        dir.write("efivars/.keep", "");
        dir.write("sysroot/.keep", "");
        mount("254:2", dir / "sysroot", "ext4", "/dev/vda2");
        esp = {"/dev/vda1", "254:1", "254:0", kEspType, kUuid, "vfat"};
        other = {"/dev/vdb1",
                 "254:17",
                 "254:16",
                 kEspType,
                 "11111111-0000-4000-8000-000000000001",
                 "vfat"};
        root = {"/dev/vda2",
                "254:2",
                "254:0",
                "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
                "22222222-0000-4000-8000-000000000002",
                "ext4"};
    }

    void add_disk(const std::string& name, const std::string& number) {
        dir.write("sys/devices/" + name + "/dev", number + "\n");
        link(name, number);
    }

    void add_partition(const std::string& disk,
                       const std::string& name,
                       const std::string& number) {
        const std::string path = disk + "/" + name;
        dir.write("sys/devices/" + path + "/dev", number + "\n");
        dir.write("sys/devices/" + path + "/partition", "1\n");
        link(path, number);
    }

    /// An encrypted volume, a RAID, ...: a device above others.
    void add_volume(const std::string& name,
                    const std::string& number,
                    const std::vector<std::string>& below) {
        add_disk(name, number);
        for (const std::string& path : below) {
            const std::string slaves = dir / ("sys/devices/" + name + "/slaves");
            std::filesystem::create_directories(slaves);
            std::filesystem::create_directory_symlink(
                dir / ("sys/devices/" + path), slaves + "/" + path.substr(path.find('/') + 1));
        }
    }

    void link(const std::string& path, const std::string& number) {
        const std::string block = dir / "sys/dev/block";
        std::filesystem::create_directories(block);
        std::filesystem::create_directory_symlink("../../devices/" + path, block + "/" + number);
    }

    void mount(const std::string& number,
               const std::string& path,
               const std::string& type,
               const std::string& source,
               const std::string& part = "/") {
        table += "30 1 " + number + " " + part + " " + path + " rw shared:1 - " + type + " " +
                 source + " rw\n";
    }

    /// As the loader writes it: attributes, UTF-16, a final zero.
    void set_loader_uuid(const std::string& text) {
        std::string content("\x06\0\0\0", 4);
        for (const char c : text + std::string(1, '\0'))
            content += std::string{c, '\0'};
        dir.write(std::string("efivars/") + kLoaderDevicePartUuid, content);
    }

    BootVolumes find() {
        dir.write("mountinfo", table);
        SearchPlaces places;
        places.efivars = dir / "efivars";
        places.sysroot = dir / "sysroot";
        places.mountinfo = dir / "mountinfo";
        places.sysfs = dir / "sys";
        places.partitions = [this] { return partitions; };
        return find_boot_volumes(places);
    }

    std::string refusal() {
        try {
            const auto found = find();
            ADD_FAILURE() << "found " << found.esp.name() << " by " << found.esp.found_by;
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::NotFound);
            EXPECT_NE(e.hint().find("'esp'"), std::string::npos);
            return e.what();
        }
        return {};
    }

    static bool has(const std::string& text, const std::string& part) {
        return text.find(part) != std::string::npos;
    }

    test::TempDir dir;
    std::string table;
    Partition esp, other, root;
    std::vector<Partition> partitions;
};

TEST_F(EspSearch, TheLoadersPartitionCountsEvenOnAnotherDisk) {
    partitions = {esp, root, other};
    set_loader_uuid("11111111-0000-4000-8000-000000000001");
    EXPECT_EQ(find().esp.node, "/dev/vdb1");
    set_loader_uuid(kLoaderUuid);
    const auto found = find();
    EXPECT_EQ(found.esp.node, "/dev/vda1");
    EXPECT_EQ(found.esp.number, "254:1");
    EXPECT_EQ(found.esp.found_by, "LoaderDevicePartUUID");
    EXPECT_TRUE(found.esp.mounted.empty());
    EXPECT_FALSE(found.xbootldr);
}

TEST_F(EspSearch, OfACopiedDiskTheOneWithTheRootCounts) {
    other.uuid = kUuid;
    partitions = {other, root, esp};
    set_loader_uuid(kLoaderUuid);
    EXPECT_EQ(find().esp.node, "/dev/vda1");
}

TEST_F(EspSearch, WithoutTheVariableTheTypeOnTheRootsDiskDecides) {
    partitions = {esp, root, other};
    EXPECT_EQ(find().esp.node, "/dev/vda1");
    partitions = {other, root, esp};
    partitions[2].type = kEspTypeMbr;
    EXPECT_EQ(find().esp.node, "/dev/vda1");
}

TEST_F(EspSearch, AVariableThatMakesNoSenseIsPassedOver) {
    partitions = {esp, root};
    for (const std::string& text : {std::string(),
                                    std::string("0A1B2C3D-0000-4000-8000-00000000000"),
                                    std::string("../../../../etc/passwd"),
                                    std::string(2000, 'A'),
                                    std::string(5000, '-')}) {
        set_loader_uuid(text);
        EXPECT_EQ(find().esp.node, "/dev/vda1") << text;
    }
    for (const std::string& content :
         {std::string(), std::string("\x06"), std::string(7, '\xff')}) {
        dir.write(std::string("efivars/") + kLoaderDevicePartUuid, content);
        const auto found = find();
        EXPECT_EQ(found.esp.node, "/dev/vda1");
        EXPECT_FALSE(found.notes.empty());
    }
}

TEST_F(EspSearch, ALoaderFromADiskThatIsGoneIsSaid) {
    partitions = {esp, root};
    set_loader_uuid("99999999-0000-4000-8000-000000000009");
    const auto found = find();
    EXPECT_EQ(found.esp.node, "/dev/vda1");
    ASSERT_EQ(found.notes.size(), 1U);
    EXPECT_TRUE(has(found.notes[0], "99999999-0000-4000-8000-000000000009")) << found.notes[0];
}

TEST_F(EspSearch, TheRootsDiskIsFoundBelowEncryptionAndRaid) {
    add_partition("vdb", "vdb2", "254:18");
    add_volume("md0", "9:0", {"vdb/vdb2"});
    add_volume("dm-0", "253:0", {"md0"});
    table.clear();
    mount("253:0", dir / "sysroot", "ext4", "/dev/mapper/root");
    partitions = {esp, other};
    EXPECT_EQ(find().esp.node, "/dev/vdb1");
    EXPECT_EQ(disks_below(dir / "sys", "253:0"), std::vector<std::string>{"254:16"});
}

TEST_F(EspSearch, VolumesThatLieOnThemselvesEnd) {
    add_volume("dm-1", "253:1", {});
    std::filesystem::create_directories(dir / "sys/devices/dm-1/slaves");
    std::filesystem::create_directory_symlink(dir / "sys/devices/dm-1",
                                              dir / "sys/devices/dm-1/slaves/dm-1");
    EXPECT_TRUE(disks_below(dir / "sys", "253:1").empty());
    EXPECT_TRUE(disks_below(dir / "sys", "1:1").empty());
    EXPECT_TRUE(disks_below(dir / "none", "").empty());
}

TEST_F(EspSearch, OfSeveralOnARaidTheOneThatIsMountedCounts) {
    add_volume("md0", "9:0", {"vda/vda2", "vdb/vdb1"});
    table.clear();
    mount("9:0", dir / "sysroot", "ext4", "/dev/md0");
    partitions = {esp, root, other};
    const std::string text = refusal();
    EXPECT_TRUE(has(text, "/dev/vda1, /dev/vdb1")) << text;
    mount("254:17", "/boot/efi", "vfat", "/dev/vdb1");
    const auto found = find();
    EXPECT_EQ(found.esp.node, "/dev/vdb1");
    EXPECT_EQ(found.esp.mounted, std::vector<std::string>{"/boot/efi"});
}

TEST_F(EspSearch, WithoutUdevAMountAtAUsualPlaceCounts) {
    mount("254:1", "/boot/efi", "vfat", "/dev/vda1");
    const auto found = find();
    EXPECT_EQ(found.esp.node, "");
    EXPECT_EQ(found.esp.number, "254:1");
    EXPECT_EQ(found.esp.name(), "/boot/efi");
    EXPECT_EQ(found.esp.mounted, std::vector<std::string>{"/boot/efi"});
}

TEST_F(EspSearch, OtherThingsAtUsualPlacesAreSaid) {
    mount("254:2", "/boot", "ext4", "/dev/vda2");
    mount("254:1", "/efi", "vfat", "/dev/vda1", "/EFI");
    std::string text = refusal();
    EXPECT_TRUE(has(text, "/boot is ext4")) << text;
    EXPECT_TRUE(has(text, "/efi is a part of a file system")) << text;
    EXPECT_TRUE(has(text, "LoaderDevicePartUUID is not there")) << text;
    EXPECT_TRUE(has(text, "has the type of an EFI system partition")) << text;
    esp.type = kXbootldrType;
    partitions = {esp, root};
    mount("254:1", "/efi", "vfat", "/dev/vda1");
    text = refusal();
    EXPECT_TRUE(has(text, "the partition at /efi has the type bc13c2ff-")) << text;
}

TEST_F(EspSearch, AMachineWithoutEfiSaysSo) {
    std::filesystem::remove_all(dir / "efivars");
    std::filesystem::remove_all(dir / "sys");
    const std::string text = refusal();
    EXPECT_TRUE(has(text, "the EFI variables cannot be read")) << text;
    EXPECT_TRUE(has(text, "the disk of '" + (dir / "sysroot") + "' is not known")) << text;
    EXPECT_TRUE(has(text, "is mounted at /efi, /boot or /boot/efi")) << text;
}

TEST_F(EspSearch, EveryMountOfThePartitionIsKnown) {
    partitions = {esp, root};
    mount("254:1", "/efi", "vfat", "/dev/vda1");
    mount("254:1", "/srv/part", "vfat", "/dev/vda1", "/EFI");
    mount("254:1", "/mnt", "vfat", "/dev/vda1");
    EXPECT_EQ(find().esp.mounted, (std::vector<std::string>{"/efi", "/mnt"}));
}

TEST_F(EspSearch, XbootldrIsTheOneBesideTheEsp) {
    const Partition extended{"/dev/vda3", "254:3", "254:0", kXbootldrType, "", "vfat"};
    Partition far = extended;
    far.disk = "254:16";
    partitions = {esp, root, far};
    EXPECT_FALSE(find().xbootldr);
    partitions = {esp, root, extended, far};
    ASSERT_TRUE(find().xbootldr);
    EXPECT_EQ(find().xbootldr->node, "/dev/vda3");
    mount("254:3", "/boot", "vfat", "/dev/vda3");
    EXPECT_EQ(find().xbootldr->mounted, std::vector<std::string>{"/boot"});
}

TEST_F(EspSearch, AnXbootldrThatFirmwareCannotReadIsNotUsed) {
    Partition extended{"/dev/vda3", "254:3", "254:0", kXbootldrType, "", "ext4"};
    partitions = {esp, root, extended};
    set_loader_uuid(kLoaderUuid);
    auto found = find();
    EXPECT_FALSE(found.xbootldr);
    ASSERT_EQ(found.notes.size(), 1U);
    EXPECT_TRUE(has(found.notes[0], "/dev/vda3 (its file system is not FAT)")) << found.notes[0];
    extended.file_system = "vfat";
    partitions = {esp, root, extended, extended};
    found = find();
    EXPECT_FALSE(found.xbootldr);
    EXPECT_TRUE(has(found.notes.at(0), "(several)")) << found.notes[0];
}

}  // namespace
}  // namespace cfs::boot
