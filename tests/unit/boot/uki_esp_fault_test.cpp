// SPDX-License-Identifier: Apache-2.0
// Small and read-only file systems, mounted in a mount namespace of this process.
#include "esp_fixture.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ostream>
#include <string>

namespace cfs::boot::test {
namespace {

enum class Fs { Tmpfs, Vfat };

std::ostream& operator<<(std::ostream& out, Fs fs) {
    return out << (fs == Fs::Tmpfs ? "Tmpfs" : "Vfat");
}

/// An ESP of 2 MiB (tmpfs) or 4 MiB (vfat) with one proven entry.
class SmallEsp : public ::testing::TestWithParam<Fs> {
 protected:
    void SetUp() override {
        const std::string problem = mount_it();
        if (!problem.empty()) GTEST_SKIP() << problem;
        make_dirs_at(open_root(point_).get(), "EFI/Linux", 0755);
        write("EFI/Linux/" + std::string(kOldFile), uki_text("1"));
        esp_ = open_esp(point_);
        before_ = tree_listing(point_);
    }

    void TearDown() override {
        esp_.reset();
        if (mounted_) (void)::umount2(point_.c_str(), MNT_DETACH);
    }

    void write(const std::string& path, const std::string& content) {
        const UniqueFd root = open_root(point_);
        write_all(open_at(root.get(), path, O_WRONLY | O_CREAT | O_EXCL, 0600).get(),
                  as_bytes(content));
    }

    void make_read_only() {
        ASSERT_EQ(::mount(nullptr,
                          point_.c_str(),
                          nullptr,
                          MS_REMOUNT | MS_RDONLY,
                          GetParam() == Fs::Tmpfs ? "size=2m" : nullptr),
                  0)
            << std::strerror(errno);
    }

    TempDir dir_;
    std::string point_ = dir_ / "esp";
    std::unique_ptr<UkiEsp> esp_;
    std::string before_;

 private:
    /// Why it cannot be; empty if it is mounted.
    std::string mount_it() {
        make_dirs_at(dir_.fd(), "esp", 0755);
        if (::unshare(CLONE_NEWNS) != 0 ||
            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
            return std::string("no mount namespace of our own: ") + std::strerror(errno);
        }
        mounted_ = GetParam() == Fs::Tmpfs
                       ? ::mount("tmpfs", point_.c_str(), "tmpfs", 0, "size=2m") == 0
                       : mount_vfat();
        if (mounted_) return "";
        return GetParam() == Fs::Tmpfs
                   ? std::string("cannot mount tmpfs: ") + std::strerror(errno)
                   : "cannot make and mount a vfat image: no mkfs.vfat, no loop "
                     "device, or a kernel without vfat";
    }

    bool mount_vfat() {
        const std::string image = dir_ / "esp.img";
        const std::string make = "truncate -s 4M " + image + " && mkfs.vfat " + image;
        const std::string mount = "mount -t vfat -o loop " + image + " " + point_;
        return std::system(("{ " + make + " && " + mount + "; } >/dev/null 2>&1").c_str()) == 0;
    }

    bool mounted_ = false;
};

INSTANTIATE_TEST_SUITE_P(FileSystems,
                         SmallEsp,
                         ::testing::Values(Fs::Tmpfs, Fs::Vfat),
                         ::testing::PrintToStringParamName());

TEST_P(SmallEsp, FullDuringTheCopyLeavesTheOldSystem) {
    const std::string content = uki_text("2", std::size_t{8} << 20);
    EXPECT_EQ(code_of([&] { (void)stage(*esp_, content, kName); }), ErrorCode::EspFull);
    EXPECT_EQ(tree_listing(point_), before_);
    EXPECT_NO_THROW(esp_->arm(stage(*esp_, uki_text("2", 100000), kName)));
}

TEST_P(SmallEsp, SpaceCheckNamesNeededAndFree) {
    const std::uint64_t size = std::uint64_t{8} << 20;
    try {
        esp_->check_space({.uki = size});
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::EspFull);
        const std::string text = e.what();
        const EspSpace space = esp_->space();
        EXPECT_NE(text.find(std::to_string(space.free_bytes)), std::string::npos) << text;
        EXPECT_NE(text.find(std::to_string(space_needed({size}, space.cluster_bytes))),
                  std::string::npos)
            << text;
        EXPECT_FALSE(e.hint().empty());
    }
    EXPECT_NO_THROW(esp_->check_space({.uki = 100000}));
}

TEST_P(SmallEsp, ReadOnlyIsAnIoErrorAndChangesNothing) {
    const StagedUki staged = stage(*esp_, uki_text("2"), kName);
    before_ = tree_listing(point_);
    make_read_only();
    const EntryName other{"os_3-000003-00000003", Counter{2, 0}};
    EXPECT_EQ(code_of([&] { (void)stage(*esp_, uki_text("3"), other); }), ErrorCode::Io);
    EXPECT_EQ(code_of([&] { esp_->arm(staged); }), ErrorCode::Io);
    EXPECT_EQ(code_of([&] { esp_->demote(kOldFile); }), ErrorCode::Io);
    EXPECT_EQ(code_of([&] { esp_->remove("os_1-000001-00000001"); }), ErrorCode::Io);
    EXPECT_EQ(code_of([&] { esp_->unstage(kName.stem); }), ErrorCode::Io);
    EXPECT_EQ(esp_->predict_next(), kOldFile);
    EXPECT_EQ(tree_listing(point_), before_);
}

TEST_P(SmallEsp, WholeLifeOfAnEntry) {
    const StagedUki staged = stage(*esp_, uki_text("2", 300000), kName);
    esp_->verify(staged);
    esp_->arm(staged);
    EXPECT_EQ(esp_->predict_next(), kFile);
    esp_->demote(kFile);
    EXPECT_EQ(esp_->predict_next(), kOldFile);
    esp_->promote("os_2-000002-00000002+0-1.efi", {2, 0});
    esp_->bless(kFile);
    esp_->remove(kName.stem);
    EXPECT_EQ(tree_listing(point_), before_);
}

}  // namespace
}  // namespace cfs::boot::test
