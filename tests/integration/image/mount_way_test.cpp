// SPDX-License-Identifier: Apache-2.0
// Each of the kernel's ways to mount an image, the older ones on a newer kernel too.
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "client/image/dir_scan.hpp"
#include "image/erofs_writer.hpp"
#include "mount/image_mount.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace cfs::client {
namespace {

using mount::mount_image;
using mount::MountPlan;
using mount::MountWay;

class EveryWay : public testing::TestWithParam<MountWay> {
 protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
        std::ifstream known("/proc/filesystems");
        const std::string text{std::istreambuf_iterator<char>(known), {}};
        if (text.find("\terofs\n") == std::string::npos)
            GTEST_SKIP() << "this kernel has no EROFS, or its module is not loaded";
        if (GetParam() == MountWay::Loop && ::access("/dev/loop-control", F_OK) != 0)
            GTEST_SKIP() << "there are no loop devices";
        dir.write("tree/big", std::string(10000, 'a'));
        dir.write("tree/small", "s");
        std::filesystem::create_directory(dir / "root");
        ScanOptions options;
        options.digest_store = dir / "objects";
        const ScannedTree scanned =
            scan_directory(dir / "tree", options, HashAlgorithm::Sha256, true, {});
        const Bytes erofs =
            image::write_erofs(scanned.tree, image::ErofsVersion::V1, HashAlgorithm::Sha256);
        dir.write("image", as_text(erofs));
        file = UniqueFd(::open((dir / "image").c_str(), O_RDONLY | O_CLOEXEC));
    }

    void TearDown() override { static_cast<void>(::umount2((dir / "root").c_str(), MNT_DETACH)); }

    MountPlan plan() {
        MountPlan out;
        out.image = file.get();
        out.name = "test";
        out.objects = {dir / "objects"};
        out.target = dir / "root";
        out.way = GetParam();
        return out;
    }

    test::TempDir dir;
    UniqueFd file;
};

TEST_P(EveryWay, ShowsTheFiles) {
    mount_image(plan());
    EXPECT_EQ(dir.read("root/big"), std::string(10000, 'a'));
    EXPECT_EQ(dir.read("root/small"), "s");
    EXPECT_THROW(dir.write("root/new", "x"), std::exception);
}

TEST_P(EveryWay, WritesToAnUpperDirectory) {
    std::filesystem::create_directory(dir / "upper");
    std::filesystem::create_directory(dir / "work");
    MountPlan writable = plan();
    writable.upper_dir = dir / "upper";
    writable.work_dir = dir / "work";
    mount_image(writable);
    dir.write("root/new", "new");
    EXPECT_EQ(dir.read("upper/new"), "new");
}

TEST_P(EveryWay, LeavesNothingBehind) {
    const auto mounts = [] {
        std::ifstream in("/proc/self/mounts");
        return std::count(std::istreambuf_iterator<char>(in), {}, '\n');
    };
    const auto before = mounts();
    mount_image(plan());
    EXPECT_EQ(mounts(), before + 1);
    MountPlan wrong = plan();
    wrong.objects = {dir / "image"};
    EXPECT_THROW(mount_image(wrong), Error);
    EXPECT_EQ(mounts(), before + 1);
}

TEST_P(EveryWay, NeedsNoObjectsWithoutFiles) {
    std::filesystem::remove(dir / "tree/big");
    const ScannedTree scanned = scan_directory(dir / "tree", {}, HashAlgorithm::Sha256, true, {});
    dir.write(
        "image2",
        as_text(image::write_erofs(scanned.tree, image::ErofsVersion::V1, HashAlgorithm::Sha256)));
    file = UniqueFd(::open((dir / "image2").c_str(), O_RDONLY | O_CLOEXEC));
    MountPlan small = plan();
    small.objects.clear();
    mount_image(small);
    EXPECT_EQ(dir.read("root/small"), "s");
}

TEST_P(EveryWay, RefusesWhatIsNoImage) {
    dir.write("junk", std::string(8192, 'j'));
    const UniqueFd junk(::open((dir / "junk").c_str(), O_RDONLY | O_CLOEXEC));
    MountPlan wrong = plan();
    wrong.image = junk.get();
    EXPECT_THROW(mount_image(wrong), Error);
    wrong = plan();
    wrong.target = dir / "missing";
    EXPECT_THROW(mount_image(wrong), Error);
}

INSTANTIATE_TEST_SUITE_P(Kernel,
                         EveryWay,
                         testing::Values(MountWay::Newest, MountWay::Paths, MountWay::Loop),
                         [](const auto& test) {
                             switch (test.param) {
                                 case MountWay::Newest:
                                     return "Newest";
                                 case MountWay::Paths:
                                     return "Paths";
                                 case MountWay::Loop:
                                     break;
                             }
                             return "Loop";
                         });

}  // namespace
}  // namespace cfs::client
