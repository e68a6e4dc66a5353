// SPDX-License-Identifier: Apache-2.0
#include "site.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "boot/efi_text.hpp"
#include "boot/uki_esp.hpp"
#include "uki/uki.hpp"
#include "update/machine.hpp"
#include "update/mapped_file.hpp"
#include "update/offline.hpp"

#include <fcntl.h>

#include <filesystem>

namespace cfs::test {
namespace {

constexpr const char* kLoaderGuid = "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
constexpr const char* kOneShot = "LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
constexpr const char* kEntries = "esp/EFI/Linux";

/// Only names and links: objects may come and go.
std::string links_of(const std::string& path) {
    return std::filesystem::exists(path) ? tree_listing(path) : "";
}

/// As efivarfs shows it: attributes, then UTF-16.
std::string efi_variable(const std::string& text) {
    std::string out("\x06\0\0\0", 4);
    for (const char c : text + '\0')
        out += {c, '\0'};
    return out;
}

}  // namespace

void let_loader_know(const TempDir& dir) {
    std::string features("\x06\0\0\0", 4);
    features += std::string("\xff\x03", 2) + std::string(6, '\0');
    dir.write(std::string("efivars/LoaderFeatures") + kLoaderGuid, features);
}

void Site::tell_loader(const boot::EntryName& before, const boot::EntryName& after) {
    dir.write(std::string("efivars/") + boot::kEntrySelected,
              efi_variable(boot::format_entry_name(before)));
    const std::string count = std::string("efivars/") + boot::kBootCountPath;
    std::filesystem::remove(dir / count);
    if (after.counter)
        dir.write(count, efi_variable("\\EFI\\Linux\\" + boot::format_entry_name(after)));
}

Site::Site() {
    for (const char* name : {"sysroot", "run", "efivars", kEntries})
        std::filesystem::create_directories(dir / name);
    settings.sysroot = dir / "sysroot";
    settings.esp = dir / "esp";
    settings.run = dir / "run";
    settings.efivars = dir / "efivars";
    settings.health.directories = {dir / "health"};
    settings.cmdline = dir / "cmdline";
    settings.store.verity = settings::Verity::Try;
    settings.trust.mode = settings::TrustMode::Verified;
    settings.trust.certificates = {fixture("keys/db.crt")};
    settings.image = image("v1");
    // What this machine's administrator told podman is none of a test's business.
    settings.net.registries_conf.clear();
    settings.net.auth_files.clear();
    settings.net.certs_dirs.clear();
    dir.write("cmdline", "quiet\n");
    let_loader_know(dir);
}

std::string Site::fixture(const std::string& name) {
    return std::string(CFS_FIXTURES) + "/" + name;
}

std::string Site::image(const std::string& tag) {
    return "oci:" + fixture("images") + ":" + tag;
}

std::string Site::own_image(const std::string& tag) {
    const std::string copy = dir / "images";
    if (!std::filesystem::exists(copy)) {
        std::filesystem::copy(fixture("images"), copy, std::filesystem::copy_options::recursive);
    }
    return "oci:" + copy + ":" + tag;
}

update::UpdateResult Site::install(const std::string& tag) {
    const auto result = update::install(image(tag), settings, progress, {});
    reboot();
    return result;
}

update::UpdateResult Site::update_to(const std::string& reference, bool finalize) {
    update::UpdateOptions options;
    options.image = reference;
    options.finalize = finalize;
    return engine().update(options, progress, {});
}

update::Engine& Site::engine() {
    if (!engine_) engine_ = update::make_engine(settings);
    return *engine_;
}

std::string Site::reboot() {
    const auto boot = boot::UkiEsp::open_path(settings.esp, update::describe_uki);
    boot->consult_variables(settings.efivars);
    const std::string chosen = boot->predict_next();
    // It is read once.
    std::filesystem::remove(settings.efivars + "/" + kOneShot);
    const auto name = boot::parse_entry_name(chosen);
    if (!name) throw Error(ErrorCode::NotFound, "the loader finds nothing to boot");
    boot::EntryName counted = *name;
    if (counted.counter && counted.counter->left > 0) {
        --counted.counter->left;
        ++counted.counter->done;
    }
    const std::string file = boot::format_entry_name(counted);
    const std::string folder = dir / kEntries;
    std::filesystem::rename(folder + "/" + chosen, folder + "/" + file);
    const UniqueFd fd = open_at(dir.fd(), std::string(kEntries) + "/" + file, O_RDONLY);
    const update::MappedFile uki(fd.get());
    tell_loader(*name, counted);
    // What /run is, too.
    std::filesystem::remove_all(dir / "run");
    std::filesystem::create_directory(dir / "run");
    dir.write("cmdline", uki::parse_uki(uki.bytes()).cmdline() + "\n");
    engine_.reset();
    engine().reconcile();
    return file;
}

void Site::bless() {
    const auto status = engine().status();
    const auto boot = boot::UkiEsp::open_path(settings.esp, update::describe_uki);
    if (status.booted) boot->bless(status.booted->uki);
}

std::string Site::snapshot() const {
    std::string out;
    for (const char* part : {"esp",
                             "sysroot/composefs/images",
                             "sysroot/composefs/streams/refs",
                             "sysroot/state/deploy",
                             "sysroot/state/cfsupdated/deployments"}) {
        out += std::string("== ") + part + "\n" + links_of(dir / part);
    }
    return out;
}

std::vector<std::string> Site::entries() const {
    return list_dir(open_dir_at(dir.fd(), kEntries).get());
}

std::string Site::etc(const update::DeploymentInfo& deployment) const {
    return settings.sysroot + "/state/deploy/" + deployment.digest + "/etc";
}

}  // namespace cfs::test
