// SPDX-License-Identifier: Apache-2.0
#include "mount/image_mount.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "mount/mount_call.hpp"

#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>

namespace cfs::mount {
namespace {

/// An empty directory that something may be mounted on for a moment.
class Perch {
 public:
    explicit Perch(const std::string& parent) : path_(parent + "/cfs-mount-XXXXXX") {
        if (::mkdtemp(path_.data()) == nullptr) throw_errno("making a temporary directory");
        fd_ = open_root(path_);
    }

    Perch(const Perch&) = delete;
    Perch& operator=(const Perch&) = delete;

    ~Perch() {
        if (mounted_) static_cast<void>(::umount2(path_.c_str(), MNT_DETACH));
        static_cast<void>(::rmdir(path_.c_str()));
    }

    void attach(int mount) {
        attach_mount(mount, fd_.get(), path_);
        mounted_ = true;
    }

    [[nodiscard]] const std::string& path() const { return path_; }

 private:
    std::string path_;
    UniqueFd fd_;
    bool mounted_ = false;
};

UniqueFd mount_erofs(int image, bool loop) {
    MountContext context("erofs");
    LoopDevice device;
    if (loop) device = make_loop_device(image);
    context.flag("ro");
    context.set("source", loop ? device.path : descriptor_path(image));
    const int err = context.try_create();
    // Before Linux 6.12 EROFS needs a block device; with some files it still does.
    if (err == ENOTBLK && !loop) return mount_erofs(image, true);
    if (err != 0) context.fail(err, "mounting the image");
    return context.mount(true);
}

class Overlay {
 public:
    Overlay(const MountPlan& plan, std::vector<UniqueFd> objects)
        : plan_(plan), objects_(std::move(objects)) {
        if (plan.upper_dir.empty()) return;
        upper_ = open_root(plan.upper_dir);
        work_ = open_root(plan.work_dir);
    }

    UniqueFd mount(const UniqueFd& erofs) {
        if (plan_.way == MountWay::Newest) {
            MountContext context = configured();
            // Before Linux 6.15 a layer by descriptor had to be attached somewhere.
            if (add_descriptors(context, erofs.get()) && context.try_create() == 0)
                return context.mount(read_only());
        }
        return mount_by_paths(erofs);
    }

 private:
    MountContext configured() {
        MountContext context("overlay");
        context.set("source", "composefs:" + plan_.name);
        context.set("metacopy", "on");
        context.set("redirect_dir", "on");
        if (plan_.verity) set_verity(context);
        if (upper_) {
            context.set("upperdir", descriptor_path(upper_.get()));
            context.set("workdir", descriptor_path(work_.get()));
        }
        return context;
    }

    static void set_verity(MountContext& context) {
        try {
            context.set("verity", "require");
        } catch (Error& error) {
            throw error.set_hint("an overlay that checks its objects needs Linux 6.6");
        }
    }

    /// False when this kernel does not take layers this way.
    bool add_descriptors(MountContext& context, int erofs) {
        if (context.try_set_fd("lowerdir+", erofs) != 0) return false;
        for (const UniqueFd& dir : objects_) {
            if (context.try_set_fd("datadir+", dir.get()) != 0) return false;
        }
        return true;
    }

    UniqueFd mount_by_paths(const UniqueFd& erofs) {
        // Only an attached mount can be named by a path.
        Perch perch(plan_.scratch);
        perch.attach(erofs.get());
        const UniqueFd lower = open_root(perch.path());
        std::string layers = descriptor_path(lower.get());
        for (const UniqueFd& dir : objects_)
            layers += "::" + descriptor_path(dir.get());
        MountContext context = configured();
        try {
            context.set("lowerdir", layers);
        } catch (Error& error) {
            throw error.set_hint("an overlay with data-only layers needs Linux 6.5");
        }
        context.create();
        return context.mount(read_only());
    }

    [[nodiscard]] bool read_only() const { return plan_.upper_dir.empty(); }

    const MountPlan& plan_;
    std::vector<UniqueFd> objects_;
    UniqueFd upper_, work_;
};

}  // namespace

UniqueFd make_mount(const MountPlan& plan) {
    std::vector<UniqueFd> objects;
    for (const std::string& path : plan.objects)
        objects.push_back(open_root(path));
    // An overlay wants two layers even when the image holds all content itself.
    std::optional<Perch> empty;
    if (objects.empty()) objects.push_back(open_root(empty.emplace(plan.scratch).path()));
    const UniqueFd erofs = mount_erofs(plan.image, plan.way == MountWay::Loop);
    return Overlay(plan, std::move(objects)).mount(erofs);
}

void mount_image(const MountPlan& plan) {
    const UniqueFd target = open_root(plan.target);
    attach_mount(make_mount(plan).get(), target.get(), plan.target);
}

}  // namespace cfs::mount
