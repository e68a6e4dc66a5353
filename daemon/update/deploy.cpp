// SPDX-License-Identifier: Apache-2.0
#include "update/deploy.hpp"

#include "base/crash_point.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "crypto/hasher.hpp"
#include "uki/boot_digest.hpp"
#include "update/checkout.hpp"
#include "update/foreign.hpp"
#include "update/mapped_file.hpp"
#include "update/rollback_guard.hpp"
#include "update/trial.hpp"
#include "update/tried_once.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace cfs::update {
namespace {

constexpr const char* kVarTarget = "../../os/default/var";

/// bootc's key: SHA-256 over kernel and initrd, which tells whether two deployments can share boot
/// files.
std::string boot_digest(Machine& machine, const Digest& uki_object) {
    const UniqueFd fd = machine.store().open_object(uki_object);
    const MappedFile file(fd.get());
    const uki::PeImage pe = uki::parse_pe(file.bytes());
    Hasher hasher(HashAlgorithm::Sha256);
    for (const char* name : {".linux", ".initrd"}) {
        const auto* section = pe.find(name);
        if (section == nullptr) continue;
        in_pieces(
            section->content(),
            [&](ByteView piece) { hasher.update(piece); },
            file.release_behind());
    }
    return hasher.finish().hex();
}

std::string origin_text(Machine& machine, const DeploymentRecord& record) {
    return "[origin]\ncontainer-image-reference=ostree-unverified-image:" + record.reference +
           "\n\n[boot]\nboot_type=uki\ndigest=" + boot_digest(machine, record.uki_object) +
           "\n\n[image]\nmanifest_digest=" + to_oci(record.manifest) + "\n";
}

/// Builds state/deploy/<digest> beside its place and renames it in: there is never half of one.
void make_state(Machine& machine,
                const DeploymentRecord& record,
                const image::FileTree& tree,
                const std::stop_token& stop) {
    const std::string work = machine.state.make_work("state-" + record.stem);
    const UniqueFd dir = open_dir_at(machine.state.fd(), work);
    make_dirs_at(dir.get(), "etc", 0755);
    {
        const UniqueFd etc = open_dir_at(dir.get(), "etc");
        check_out(machine.store(), tree, "etc", etc.get(), stop);
    }
    if (::symlinkat(kVarTarget, dir.get(), "var") != 0) throw_errno("making the link to /var");
    replace_file_at(
        dir.get(), record.image.hex() + ".origin", as_bytes(origin_text(machine, record)), 0644);
    if (::fchmod(dir.get(), 0755) != 0) throw_errno("setting a mode");
    sync_file_system(dir.get(), machine.settings.sysroot);
    make_dirs_at(machine.sysroot.get(), kDeployPath, 0755);
    crash_point("update.state-built");
    rename_noreplace_at(
        machine.sysroot.get(), std::string(kPrivatePath) + "/" + work, state_path(record.image));
    fsync_dir_at(machine.sysroot.get(), kDeployPath);
    crash_point("update.state-made");
}

/// Another record with the same image or manifest; nullptr if none.
const DeploymentRecord* find_sharer(const std::vector<DeploymentRecord>& records,
                                    const DeploymentRecord& own,
                                    const Digest DeploymentRecord::*member) {
    for (const auto& record : records) {
        if (record.stem != own.stem && record.*member == own.*member) return &record;
    }
    return nullptr;
}

/// The state directory goes with the last record that uses it, unless it was there before all of
/// them.
void leave_state_to(Machine& machine, const DeploymentRecord& own, DeploymentRecord heir) {
    if (own.shared_state || !heir.shared_state) return;
    heir.shared_state = false;
    machine.state.save(heir);
}

void drop_state(Machine& machine, const DeploymentRecord& record) {
    const std::string path = state_path(record.image);
    if (!stat_at(machine.sysroot.get(), path)) return;
    // Out of the way in one step, so that no half of it is ever taken for a deployment.
    const std::string work = machine.state.make_work("drop-" + record.stem);
    rename_noreplace_at(
        machine.sysroot.get(), path, std::string(kPrivatePath) + "/" + work + "/state");
    fsync_dir_at(machine.sysroot.get(), kDeployPath);
    crash_point("update.state-dropped");
    machine.state.remove_work("drop-" + record.stem);
}

/// A state directory of the same image that another tool made may hold an /etc in another form.
void require_own_state(Machine& machine, const DeploymentRecord& record) {
    for (const auto& foreign : find_foreign(machine.sysroot.get(), machine.state.deployments())) {
        if (foreign.image != record.image || foreign.dialect == Dialect::Own) continue;
        throw Error(ErrorCode::Unsupported,
                    "'" + state_path(record.image) + "' is not ours: " + foreign.explain(),
                    "remove that deployment with its tool first");
    }
}

Digest boot_digest_of(Machine& machine, const JudgedUki& judged) {
    const UniqueFd fd = machine.store().open_object(judged.object);
    const MappedFile file(fd.get());
    return uki::boot_digest(uki::parse_pe(file.bytes(), file.release_behind()), judged.uki);
}

}  // namespace

DeploymentRecord describe_image(const Pull& pull, std::uint64_t serial) {
    const JudgedUki& judged = pull.judged();
    const uki::OsRelease& release = judged.uki.osrel;
    DeploymentRecord record;
    record.serial = serial;
    record.image = judged.argument.digest;
    record.insecure = judged.argument.insecure;
    record.manifest = pull.resolved().manifest_digest;
    record.reference = pull.resolved().reference;
    record.uki_object = judged.object;
    record.uki_sha256 = judged.sha256;
    record.authenticode = judged.uki.authenticode;
    record.uki_size = judged.uki.size;
    record.id = release.id();
    record.image_id = release.image_id();
    record.version = release.version();
    record.title = release.pretty_name();
    record.sort_key = release.sort_key();
    record.architecture = judged.uki.architecture;
    record.security_version = release.security_version().value_or(0);
    record.stem =
        boot::make_stem(release.sort_key(), release.version(), record.serial, record.image);
    return record;
}

DeploymentRecord make_record(Machine& machine, const Pull& pull) {
    DeploymentRecord record = describe_image(pull, machine.state.next_serial());
    record.boot_digest = boot_digest_of(machine, pull.judged()).hex();
    record.installed = unix_seconds(machine.clock);
    return record;
}

void stage_deployment(Machine& machine,
                      DeploymentRecord& record,
                      Pull& pull,
                      unsigned tries,
                      const std::stop_token& stop) {
    require_own_state(machine, record);
    record.phase = Phase::Staging;
    record.shared_state = stat_at(machine.sysroot.get(), state_path(record.image)).has_value();
    machine.state.save(record);
    crash_point("update.recorded");
    RollbackGuard undo([&] { drop_deployment(machine, record); });
    pull.commit();
    if (!record.shared_state) make_state(machine, record, pull.composed().tree, stop);
    pull.release_image();
    std::vector<std::string> keep;
    for (const auto& other : machine.state.deployments())
        keep.push_back(other.stem);
    (void)machine.boot().sweep_leftovers(keep);
    const UniqueFd uki = machine.store().open_object(record.uki_object);
    const boot::StagedUki staged =
        machine.boot().stage(uki.get(), record.uki_sha256, record.staged_uki(tries).final_name);
    record.staged_file = staged.file;
    record.tried_once = find_order(machine, staged, record) == Order::AfterTrial;
    record.phase = Phase::Staged;
    machine.state.save(record);
    crash_point("update.staged");
    undo.dismiss();
}

bool is_running(Machine& machine, const DeploymentRecord& record) {
    const bool may_have_booted = record.phase != Phase::Staging && record.phase != Phase::Staged;
    if (!may_have_booted || booted_image_if_known(machine.settings) != record.image) return false;
    const auto records = machine.state.deployments();
    return find_sharer(records, record, &DeploymentRecord::image) == nullptr;
}

void drop_deployment(Machine& machine, DeploymentRecord record) {
    if (is_running(machine, record)) {
        throw Error(ErrorCode::Busy,
                    "version " + printable(record.version) + " (" + record.stem +
                        ") is what runs now: it is not removed",
                    "boot another deployment first");
    }
    // Only of an exchange of its own: another record of this image may be in the middle of one.
    const bool settled = record.phase == Phase::Armed || record.phase == Phase::Booted;
    const bool exchanging = record.phase == Phase::Finalizing || record.merged_inode != 0;
    if (exchanging && !settled) revert_etc(machine, record);
    record.phase = Phase::Removing;
    machine.state.save(record);
    crash_point("update.drop-recorded");
    const auto records = machine.state.deployments();
    if (record.tried_once) forget_trial(machine, record);
    machine.boot().unstage(record.stem);
    machine.boot().remove(record.stem);
    if (booted_image_if_known(machine.settings) != record.image) {
        hold_again(machine, record);
        give_back_etc(machine, record);
    }
    const DeploymentRecord* const heir = find_sharer(records, record, &DeploymentRecord::image);
    if (heir != nullptr) leave_state_to(machine, record, *heir);
    if (heir == nullptr && !record.shared_state) drop_state(machine, record);
    store::Repository& store = machine.store();
    if (heir == nullptr) (void)store.remove_image_ref(image_pin(record.image));
    if (find_sharer(records, record, &DeploymentRecord::manifest) == nullptr) {
        (void)store.remove_stream_ref(manifest_pin(record.manifest));
    }
    store.sync();
    crash_point("update.unpinned");
    machine.state.drop(record.stem);
}

}  // namespace cfs::update
