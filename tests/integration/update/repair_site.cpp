// SPDX-License-Identifier: Apache-2.0
#include "repair_site.hpp"

#include "base/fs_at.hpp"
#include "net/image_source.hpp"
#include "update/compose.hpp"
#include "update/layer_import.hpp"
#include "update/machine.hpp"
#include "update/offline.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace cfs::test {
namespace {

constexpr const char* kName = "team/os";
constexpr const char* kStore = "sysroot/composefs/";

net::Resolved resolve(const std::string& tag) {
    return net::open_source(net::parse_image_ref(Site::image(tag)), {})
        ->resolve(net::host_platform(), {});
}

ino_t inode_of(const std::string& path) {
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0) throw_errno("stat of '" + path + "'");
    return st.st_ino;
}

}  // namespace

RepairSite::RepairSite(const std::string& tag) : registry_(std::make_unique<TestRegistry>()) {
    registry_->serve_layout(Site::fixture("images"), kName);
    site.settings.net.attempts = 1;
    (void)update::install(registry_->reference(kName, tag), site.settings, site.progress, {});
    (void)site.reboot();
    registry_->forget_requests();
}

void RepairSite::update(const std::string& tag) {
    (void)site.update_to(registry_->reference(kName, tag));
    (void)site.reboot();
    site.bless();
    registry_->forget_requests();
}

update::VerifyResult RepairSite::verify(bool full, const std::string& name) {
    update::VerifyOptions options;
    options.full = full;
    options.deployment = name;
    return site.engine().verify(options, site.progress, {});
}

update::RepairResult RepairSite::repair(const std::string& name) {
    update::RepairOptions options;
    options.deployment = name;
    return site.engine().repair(options, site.progress, {});
}

std::unique_ptr<store::Repository> RepairSite::store() const {
    return store::Repository::open(site.dir / kStore, store::VerityPolicy::Try);
}

update::DeploymentRecord RepairSite::newest() const {
    const UniqueFd root = open_root(site.settings.sysroot);
    return update::StateDir(root.get(), false).deployments().at(0);
}

Digest RepairSite::object_of(const std::string& path) const {
    const auto tree = update::load_tree(*store(), newest().image);
    return tree.lookup(path)->leaf()->external.value();
}

Digest RepairSite::object_of_stream(const std::string& name) const {
    return store()->find_stream(name).value();
}

std::string RepairSite::path_of(const Digest& object) {
    return std::string(kStore) + "objects/" + store::object_path(object);
}

void RepairSite::garble(const Digest& object) {
    std::string bytes = site.dir.read(path_of(object));
    for (char& c : bytes)
        c = static_cast<char>(c ^ 0x55);
    const UniqueFd fd = open_at(site.dir.fd(), path_of(object), O_WRONLY);
    if (::pwrite(fd.get(), bytes.data(), bytes.size(), 0) < 0) throw_errno("garbling");
}

void RepairSite::cut(const Digest& object) {
    std::filesystem::resize_file(site.dir / path_of(object), 10);
}

void RepairSite::lose(const Digest& object) {
    std::filesystem::remove(site.dir / path_of(object));
}

std::map<std::string, std::string> RepairSite::everything() const {
    std::map<std::string, std::string> out;
    const std::string root = site.dir / kStore;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        const std::string path = entry.path().lexically_relative(root);
        if (entry.is_symlink()) {
            out[path] = std::filesystem::read_symlink(entry.path());
        } else if (entry.is_regular_file()) {
            out[path] = std::to_string(inode_of(entry.path())) + " " +
                        site.dir.read(std::string(kStore) + path);
        }
    }
    return out;
}

std::uint64_t RepairSite::blob_size(const std::string& tag, std::size_t index) {
    return resolve(tag).manifest.layers.at(index).size;
}

std::string RepairSite::blob_digest(const std::string& tag, std::size_t index) {
    return to_oci(resolve(tag).manifest.layers.at(index).digest);
}

std::string RepairSite::layer_stream(const std::string& tag, std::size_t index) {
    return update::layer_stream_name(resolve(tag).config.diff_ids.at(index));
}

}  // namespace cfs::test
