// SPDX-License-Identifier: Apache-2.0
// What was installed, mounted by the kernel, against what GNU tar makes of the layers.
#include "base/error.hpp"
#include "site.hpp"

#include <gtest/gtest.h>

#include <sys/mount.h>

#include <cstdlib>
#include <filesystem>

namespace cfs {
namespace {

using test::Site;

int run(const std::string& command) {
    return std::system(command.c_str());
}

class Mounts {
 public:
    Mounts() = default;
    Mounts(const Mounts&) = delete;
    Mounts& operator=(const Mounts&) = delete;

    ~Mounts() {
        for (auto it = mounted_.rbegin(); it != mounted_.rend(); ++it)
            (void)::umount2(it->c_str(), MNT_DETACH);
    }

    [[nodiscard]] bool mount(const std::string& command, const std::string& target) {
        if (run(command) != 0) return false;
        mounted_.push_back(target);
        return true;
    }

 private:
    std::vector<std::string> mounted_;
};

TEST(Mount, TheInstalledImageEqualsItsLayers) {
    Site site;
    const auto deployment = site.install("v2").deployment;
    const std::string plain = site.dir / "plain", erofs = site.dir / "erofs",
                      root = site.dir / "root";
    for (const auto& path : {plain, erofs, root})
        std::filesystem::create_directory(path);
    const std::string layers = Site::fixture("layers");
    ASSERT_EQ(run("tar -C '" + plain + "' -xpf '" + layers + "/base.tar' && tar -C '" + plain +
                  "' -xpf '" + layers + "/app2.tar'"),
              0);
    Mounts mounts;
    const std::string store = site.settings.sysroot + "/composefs";
    const std::string image = store + "/images/" + deployment.digest;
    if (!mounts.mount(
            "mount -t erofs -o ro,loop \"$(readlink -f '" + image + "')\" '" + erofs + "'",
            erofs)) {
        GTEST_SKIP() << "this kernel or container cannot mount EROFS";
    }
    ASSERT_TRUE(
        mounts.mount("mount -t overlay overlay -o ro,metacopy=on,redirect_dir=on,lowerdir='" +
                         erofs + "'::'" + store + "/objects' '" + root + "'",
                     root));
    // The transforms empty /boot, /sysroot and /run; the rest is the same, names, owners, modes and
    // bytes.
    EXPECT_EQ(test::tree_listing(root), test::tree_listing(plain));
    EXPECT_EQ(run("diff -r --no-dereference '" + plain + "' '" + root + "'"), 0);
}

}  // namespace
}  // namespace cfs
