// SPDX-License-Identifier: Apache-2.0
// Disks that are full, read-only, damaged, of another kind, in use, or shared with strangers.
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "crash/crash_site.hpp"
#include "crypto/hasher.hpp"
#include "net/kept_blob.hpp"
#include "small_disk.hpp"
#include "store/repository.hpp"
#include "update/offline.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/file.h>

#include <filesystem>
#include <fstream>
#include <ostream>

namespace cfs {
namespace {

using test::CrashSite;
using test::error_name;
using test::ReadOnlyView;
using test::Site;
using test::SmallDisk;
using update::UpdateOutcome;

constexpr const char* kInstalled = CFS_MACHINES "/installed";

class Disk : public testing::Test {
 protected:
    void SetUp() override {
        if (!can_mount_) GTEST_SKIP() << why_;
    }

    std::string update() {
        return error_name([&] { (void)machine_.site.update("v2"); }, &text_);
    }

    void expect_recovery() {
        machine_.site.engine().reconcile();
        EXPECT_EQ(machine_.unsound(), "");
        EXPECT_EQ(update(), "no error") << text_;
        EXPECT_EQ(machine_.unsound(), "");
        EXPECT_EQ(machine_.site.engine().status().staged->version, "2");
    }

 private:
    // First: descriptors opened before it would not see what is mounted later.
    std::string why_;
    bool can_mount_ = test::enter_mount_namespace(why_);

 protected:
    CrashSite machine_{kInstalled};
    std::string text_;  ///< of the last error
};

/// Makes a file that leaves `left` bytes free on its file system.
void fill(const std::string& path, std::uint64_t left) {
    std::ofstream(path).put('x');
    const auto space = std::filesystem::space(path);
    std::filesystem::resize_file(path, 0);
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::posix_fallocate(file.get(), 0, static_cast<off_t>(space.available - left)), 0);
}

TEST_F(Disk, LittleRoomEndsTheKeepingOfALayer) {
    const std::string content(2'000'000, 'x');
    net::Descriptor blob;
    blob.digest = hash(HashAlgorithm::Sha256, as_bytes(content));
    blob.size = content.size();
    const net::KeepOptions options{.dir = machine_.site.dir / "blobs",
                                   .least = 1,
                                   .most = content.size(),
                                   .keep_free = ~std::uint64_t{0}};
    std::filesystem::create_directory(options.dir);
    SmallDisk disk(options.dir);
    disk.leave_free(300 * 4096);  // a 64th of it is less than five pages
    const auto kept = net::KeptBlob::open(options, blob, {});
    ASSERT_TRUE(kept);
    const auto keep_until = [&](std::size_t end) {
        kept->append(as_bytes(content).subspan(kept->size(), end - kept->size()));
        kept->mark(hash(HashAlgorithm::Sha256, as_bytes(content).first(end)));
    };
    keep_until(200 * 4096);
    EXPECT_EQ(net::kept_size(options, blob), 200U * 4096);
    keep_until(296 * 4096);
    EXPECT_TRUE(std::filesystem::is_empty(options.dir)) << "the room is given back";
}

struct Room {
    const char* name;
    std::uint64_t amount;
};

std::ostream& operator<<(std::ostream& out, const Room& room) {
    return out << room.name;
}

std::string room_name(const testing::TestParamInfo<Room>& row) {
    return row.param.name;
}

class FullStore : public Disk, public testing::WithParamInterface<Room> {};

TEST_P(FullStore, IsNoSpaceAndTheNextRunSucceeds) {
    machine_.guard();
    SmallDisk disk(machine_.site.settings.sysroot);
    disk.leave_free(GetParam().amount);
    EXPECT_EQ(update(), "NoSpace") << text_;
    EXPECT_EQ(machine_.harm(), "");
    EXPECT_EQ(machine_.site.entries().size(), 1U);
    disk.set_read_only(false);
    expect_recovery();
}

INSTANTIATE_TEST_SUITE_P(BytesLeft,
                         FullStore,
                         testing::Values(Room{"none", 0},
                                         Room{"4K", 4 << 10},
                                         Room{"16K", 16 << 10},
                                         Room{"64K", 64 << 10},
                                         Room{"150K", 150 << 10},
                                         Room{"210K", 210 << 10},
                                         Room{"240K", 240 << 10},
                                         Room{"280K", 280 << 10}),
                         room_name);

/// What bad_layers.py calls bomb-zstd: a few kilobytes that unpack to 96 MiB.
TEST_F(Disk, ALayerThatUnpacksToMoreThanTheRoomIsStoppedWhileItStreams) {
    machine_.guard();
    const std::string before = machine_.site.snapshot();
    const SmallDisk disk(machine_.site.settings.sysroot);
    machine_.site.settings.store.reserve = std::uint64_t{64} << 20;
    fill(machine_.site.settings.sysroot + "/filler", std::uint64_t{40} << 20);
    const std::uint64_t reserve = disk.size() / 64;
    const auto bomb = [&] { (void)machine_.site.update_to("oci:" CFS_BAD_IMAGES ":bomb-zstd"); };
    EXPECT_EQ(error_name(bomb, &text_), "NoSpace") << text_;
    EXPECT_NE(text_.find("of which " + std::to_string(reserve) + " stay free"), std::string::npos)
        << text_;
    EXPECT_EQ(machine_.site.snapshot(), before);
    expect_recovery();
}

TEST_F(Disk, TheReserveIsNotOfferedToAnImage) {
    machine_.guard();
    const SmallDisk disk(machine_.site.settings.sysroot);
    machine_.site.settings.store.reserve = std::uint64_t{64} << 20;
    const std::string filler = machine_.site.settings.sysroot + "/filler";
    fill(filler, disk.size() / 64);
    EXPECT_EQ(update(), "NoSpace") << text_;
    EXPECT_NE(text_.find("store.reserve"), std::string::npos) << text_;
    std::filesystem::remove(filler);
    expect_recovery();
}

class NoInodes : public Disk, public testing::WithParamInterface<Room> {};

TEST_P(NoInodes, IsNoSpaceAndTheNextRunSucceeds) {
    machine_.guard();
    SmallDisk disk(machine_.site.settings.sysroot);
    disk.leave_files(GetParam().amount);
    EXPECT_EQ(update(), "NoSpace") << text_;
    EXPECT_EQ(machine_.harm(), "");
    EXPECT_EQ(machine_.site.entries().size(), 1U);
    disk.set_read_only(false);
    expect_recovery();
}

INSTANTIATE_TEST_SUITE_P(
    FilesLeft,
    NoInodes,
    testing::Values(Room{"none", 0}, Room{"5", 5}, Room{"10", 10}, Room{"20", 20}, Room{"30", 30}),
    room_name);

class FullEsp : public Disk, public testing::WithParamInterface<Room> {};

TEST_P(FullEsp, IsEspFullAndTheNextRunSucceeds) {
    machine_.guard();
    SmallDisk disk(machine_.site.settings.esp);
    disk.leave_free(GetParam().amount);
    const std::string before = machine_.site.snapshot();
    EXPECT_EQ(update(), "EspFull") << text_;
    EXPECT_NE(text_.find("needed are"), std::string::npos) << text_;
    EXPECT_EQ(machine_.site.snapshot(), before);
    disk.set_read_only(false);
    expect_recovery();
}

INSTANTIATE_TEST_SUITE_P(BytesLeft,
                         FullEsp,
                         testing::Values(Room{"none", 0},
                                         Room{"100K", 100 << 10},
                                         Room{"196K", 196 << 10},
                                         Room{"1200K", 1200 << 10}),
                         room_name);

TEST_F(Disk, AReadOnlySysrootIsIo) {
    machine_.guard();
    SmallDisk disk(machine_.site.settings.sysroot);
    disk.set_read_only(true);
    const std::string before = machine_.site.snapshot();
    EXPECT_EQ(update(), "Io") << text_;
    EXPECT_EQ(machine_.site.snapshot(), before);
    EXPECT_EQ(machine_.site.engine().status().booted->version, "1");
    disk.set_read_only(false);
    expect_recovery();
}

TEST_F(Disk, AReadOnlyStoreIsIo) {
    machine_.guard();
    const std::string before = machine_.site.snapshot();
    {
        const ReadOnlyView view(machine_.site.settings.sysroot + "/composefs");
        EXPECT_EQ(update(), "Io") << text_;
    }
    EXPECT_EQ(machine_.site.snapshot(), before);
    expect_recovery();
}

TEST_F(Disk, AReadOnlyEspIsIo) {
    machine_.guard();
    {
        const ReadOnlyView view(machine_.site.settings.esp);
        EXPECT_EQ(update(), "Io") << text_;
    }
    EXPECT_EQ(machine_.harm(), "");
    expect_recovery();
}

TEST_F(Disk, AMissingEspIsNotFound) {
    machine_.site.settings.esp = machine_.site.dir / "none";
    EXPECT_EQ(update(), "NotFound") << text_;
    EXPECT_NE(text_.find("'esp'"), std::string::npos) << text_;
}

TEST_F(Disk, AMissingStoreIsNotFound) {
    std::filesystem::remove_all(machine_.site.settings.sysroot + "/composefs");
    EXPECT_EQ(update(), "NotFound") << text_;
}

TEST_F(Disk, AStoreOfTheOtherHashIsUnsupported) {
    const std::string store = machine_.site.settings.sysroot + "/composefs";
    std::filesystem::remove_all(store);
    std::filesystem::create_directory(store);
    store::Repository::init(
        open_root(store).get(), HashAlgorithm::Sha256, store::VerityPolicy::Try);
    EXPECT_EQ(update(), "Unsupported") << text_;
    EXPECT_NE(text_.find("sha256"), std::string::npos) << text_;
    EXPECT_NE(text_.find("sha512"), std::string::npos) << text_;
    EXPECT_EQ(machine_.site.entries().size(), 1U);
}

TEST_F(Disk, InstallingIntoAStoreOfTheOtherHashIsUnsupported) {
    CrashSite empty(CFS_MACHINES "/empty");
    empty.site.settings.store.hash = HashAlgorithm::Sha256;
    EXPECT_EQ(error_name([&] { (void)empty.site.install(); }, &text_), "Unsupported") << text_;
    EXPECT_TRUE(empty.site.entries().empty());
}

TEST_F(Disk, AStoreThatAnotherProcessHoldsIsBusy) {
    machine_.guard();
    const std::string before = machine_.site.snapshot();
    {
        const UniqueFd other = open_root(machine_.site.settings.sysroot + "/composefs");
        ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
        EXPECT_EQ(update(), "Busy") << text_;
    }
    EXPECT_EQ(machine_.site.snapshot(), before);
    expect_recovery();
}

TEST_F(Disk, AStoreThatIsBeingReadIsNotCollected) {
    machine_.guard();
    const UniqueFd other = open_root(machine_.site.settings.sysroot + "/composefs");
    ASSERT_EQ(::flock(other.get(), LOCK_SH), 0);
    const auto collect = [&] {
        (void)machine_.site.engine().collect(false, machine_.site.progress, {});
    };
    EXPECT_EQ(error_name(collect, &text_), "Busy") << text_;
    EXPECT_EQ(machine_.unsound(), "");
    EXPECT_EQ(update(), "no error") << text_;
}

TEST_F(Disk, AnotherVerbOfAnotherProcessIsBusy) {
    const UniqueFd other = open_at(machine_.site.dir.fd(), "sysroot/state/cfsupdated/lock", O_RDWR);
    ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
    EXPECT_EQ(update(), "Busy") << text_;
}

TEST_F(Disk, DamagedMetadataOfTheStoreIsNamed) {
    machine_.site.dir.write("sysroot/composefs/meta.json", "{ not json");
    EXPECT_EQ(update(), "StateCorrupt") << text_;
    EXPECT_NE(text_.find("meta.json"), std::string::npos) << text_;
}

/// The largest object that is no UKI and no image: of the base layer, which an update reuses.
std::filesystem::path an_object_of_the_base(const Site& site) {
    const auto wanted = std::uintmax_t{300000};
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(site.settings.sysroot + "/composefs")) {
        if (!entry.is_symlink() && entry.is_regular_file() && entry.file_size() == wanted)
            return entry.path();
    }
    throw Error(ErrorCode::NotFound, "no object of that size");
}

TEST_F(Disk, ADamagedObjectOfAReusedLayerIsFetchedAgain) {
    machine_.guard();
    {
        std::fstream file(an_object_of_the_base(machine_.site),
                          std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(1234);
        file.put('x');
        file.put('y');
    }
    EXPECT_EQ(update(), "no error") << text_;
    EXPECT_EQ(machine_.unsound(), "");
}

TEST_F(Disk, AMissingObjectOfAReusedLayerIsFetchedAgain) {
    machine_.guard();
    std::filesystem::remove(an_object_of_the_base(machine_.site));
    EXPECT_EQ(update(), "no error") << text_;
    EXPECT_EQ(machine_.unsound(), "");
}

TEST_F(Disk, ForeignFilesStayAsTheyAre) {
    machine_.guard();
    const Site& site = machine_.site;
    const std::vector<std::string> foreign = {"esp/EFI/BOOT/BOOTX64.EFI",
                                              "esp/EFI/Linux/other-os.efi",
                                              "esp/EFI/Linux/other-os.efi.extra.d/a.cred",
                                              "esp/EFI/Linux/empty+3.efi",
                                              "esp/EFI/Linux/notes.txt",
                                              "esp/EFI/Linux/folder.efi/inside",
                                              "esp/loader/entries/other.conf",
                                              "sysroot/state/deploy/other-tool/etc/file",
                                              "sysroot/composefs/README"};
    for (const auto& name : foreign)
        site.dir.write(name, name.ends_with("+3.efi") ? "" : "foreign " + name, 0640);
    EXPECT_EQ(update(), "no error") << text_;
    EXPECT_EQ(machine_.site.engine().status().staged->version, "2");
    (void)machine_.site.reboot();
    machine_.site.bless();
    (void)machine_.site.engine().collect(false, machine_.site.progress, {});
    for (const auto& name : foreign)
        EXPECT_EQ(site.dir.read(name), name.ends_with("+3.efi") ? "" : "foreign " + name) << name;
    EXPECT_EQ(machine_.harm(), "");
    EXPECT_EQ(machine_.site.engine().status().booted->version, "2");
}

}  // namespace
}  // namespace cfs
