// SPDX-License-Identifier: Apache-2.0
#include "initrd/prepare.hpp"

#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "crypto/fsverity.hpp"
#include "initrd/tree.hpp"
#include "mount/image_mount.hpp"
#include "mount/mount_call.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace cfs::initrd {
namespace {

constexpr std::size_t kMaxCmdline = std::size_t{64} << 10;
constexpr std::size_t kMaxConfig = std::size_t{64} << 10;
constexpr std::size_t kShownHex = 12;
constexpr const char* kReinstall =
    "choose another entry in the boot menu, and install this image again from there";

/// Runs `f`; what it throws without a hint gets one.
template <typename F>
auto wanted(const std::string& what, F&& f) {
    return with_context(what, [&] {
        try {
            return f();
        } catch (Error& error) {
            if (error.hint().empty()) error.set_hint(kReinstall);
            throw;
        }
    });
}

/// What the kernel measures must be what the signed command line says. \returns was it measured?
bool check_digest(int image, const uki::ComposefsArg& argument) {
    const std::optional<Digest> found = measure_verity(image);
    if (found && *found == argument.digest) return true;
    if (!found && argument.insecure) return false;
    if (!found) {
        throw Error(ErrorCode::DigestMismatch,
                    "it has no fs-verity",
                    std::string(kReinstall) +
                        "; a root file system without fs-verity needs a UKI that says '?'");
    }
    throw Error(ErrorCode::DigestMismatch,
                "it measures " + found->hex() + ", the command line names " + argument.digest.hex(),
                kReinstall);
}

struct Mounted {
    UniqueFd root;
    bool measured = false;
};

Mounted mount_composefs(int sysroot,
                        const uki::ComposefsArg& argument,
                        const std::string& scratch) {
    return wanted("the image " + argument.digest.hex().substr(0, kShownHex), [&] {
        const UniqueFd store = open_dir_at(sysroot, "composefs");
        const UniqueFd image =
            open_linked(store.get(), "images/" + argument.digest.hex(), O_RDONLY);
        const UniqueFd objects = open_dir_at(store.get(), "objects");
        Mounted out;
        out.measured = check_digest(image.get(), argument);
        mount::MountPlan plan;
        plan.image = image.get();
        plan.name = argument.digest.hex();
        plan.objects = {mount::descriptor_path(objects.get())};
        plan.verity = !argument.insecure;
        plan.scratch = scratch;
        out.root = mount::make_mount(plan);
        return out;
    });
}

/// Directories of the deployment, where they are bound or written to.
class Deployment {
 public:
    Deployment(int sysroot, const Digest& digest)
        : sysroot_(sysroot), path_("state/deploy/" + digest.hex()) {}

    /// "etc" or "var"; the second is a link to what all deployments share.
    [[nodiscard]] UniqueFd open(const std::string& name) const {
        return wanted("the deployment's state",
                      [&] { return open_linked(sysroot_, path_ + "/" + name, O_DIRECTORY); });
    }

 private:
    int sysroot_;
    std::string path_;
};

void mount_writable(const Scaffold& tree,
                    const Deployment& deployment,
                    const std::string& name,
                    MountKind kind) {
    with_context("/" + name, [&] {
        switch (kind) {
            case MountKind::None:
                return;
            case MountKind::Bind: {
                const UniqueFd mount = clone_mount(deployment.open(name).get(), name);
                restrict_mount(mount.get(), name);
                tree.attach(mount.get(), name);
                return;
            }
            case MountKind::Overlay:
                tree.overlay(deployment.open(name).get(), name, "overlay:/" + name);
                return;
            case MountKind::Transient:
                tree.transient(name, "transient:/" + name);
                return;
        }
    });
}

bool writes_to_state(const SetupConfig& config) {
    const auto writes = [](MountKind kind) {
        return kind == MountKind::Bind || kind == MountKind::Overlay;
    };
    return writes(config.etc) || writes(config.var);
}

SetupConfig read_config(const std::string& root) {
    const UniqueFd dir = open_root(root);
    const auto text = find_text_at(dir.get(), kSetupConfigPath, kMaxConfig);
    return text ? parse_setup_config(*text) : SetupConfig{};
}

/// The physical root stays reachable at /sysroot, where an image has that directory.
void keep_sysroot(const Scaffold& tree, int sysroot) {
    const UniqueFd root = open_root(tree.root());
    const auto place = stat_at(root.get(), "sysroot");
    if (!place || !S_ISDIR(place->st_mode)) return;
    tree.attach(clone_mount(sysroot, "sysroot").get(), "sysroot");
}

/// How systemd's generators find the disk behind a root that is no block device. Best effort: they
/// only look for more partitions on it.
void tell_systemd(int sysroot, const std::string& link) {
    struct stat found {};
    if (::fstat(sysroot, &found) != 0 || major(found.st_dev) == 0) return;
    const std::string device = "/dev/block/" + std::to_string(major(found.st_dev)) + ":" +
                               std::to_string(minor(found.st_dev));
    const auto slash = link.rfind('/');
    if (slash != std::string::npos && slash > 0)
        static_cast<void>(::mkdir(link.substr(0, slash).c_str(), 0755));
    if (::symlink(device.c_str(), link.c_str()) != 0 && errno != EEXIST)
        static_cast<void>(
            std::fprintf(stderr, "cfs-prepare-root: cannot make '%s'\n", link.c_str()));
}

void take_place(const Scaffold& tree, int sysroot, const Options& options) {
    if (!options.in_place()) return tree.move_root(options.target);
    tell_systemd(sysroot, options.volatile_root);
    // EINVAL: nothing is mounted there, the new root just covers it.
    if (::umount2(options.sysroot.c_str(), MNT_DETACH) != 0 && errno != EINVAL)
        throw_errno("detaching '" + options.sysroot + "'");
    tree.move_root(options.sysroot);
}

}  // namespace

std::string read_cmdline(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) throw_errno("opening '" + path + "'");
    const Bytes bytes = read_whole(fd.get(), kMaxCmdline);
    std::string out(as_text(bytes));
    while (!out.empty() && out.back() == '\n')
        out.pop_back();
    return out;
}

void prepare_root(const Options& options) {
    BootRecord record;
    record.cmdline = read_cmdline(options.cmdline);
    const uki::ComposefsArg argument = uki::composefs_arg(record.cmdline);
    const UniqueFd sysroot = open_root(options.sysroot);
    const Scaffold tree(options.run);
    {
        const Mounted image = mount_composefs(sysroot.get(), argument, tree.path());
        tree.attach(image.root.get(), "");
        record.measured = image.measured;
    }
    record.digest = argument.digest;
    record.verity = !argument.insecure;
    record.config = read_config(tree.root());
    // Named as the image is: what runs is told by the source of what is mounted at "/".
    if (record.config.root_transient) tree.transient("", "composefs:" + argument.digest.hex());
    if (writes_to_state(record.config)) make_writable(sysroot.get(), options.sysroot);
    keep_sysroot(tree, sysroot.get());
    const Deployment deployment(sysroot.get(), argument.digest);
    mount_writable(tree, deployment, "etc", record.config.etc);
    mount_writable(tree, deployment, "var", record.config.var);
    write_boot_record(options.run, record);
    try {
        take_place(tree, sysroot.get(), options);
    } catch (const Error&) {
        remove_boot_record(options.run);
        throw;
    }
}

}  // namespace cfs::initrd
