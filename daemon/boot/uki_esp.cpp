// SPDX-License-Identifier: Apache-2.0
#include "boot/uki_esp.hpp"

#include "base/bytes.hpp"
#include "base/crash_point.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "boot/esp_names.hpp"
#include "boot/staging.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace cfs::boot {
namespace {

constexpr const char* kFullHint =
    "remove files that are not needed from the EFI system partition, or let a version go: 'cfsctl "
    "gc', 'cfsctl unpin', 'cfsctl remove'";

/// Adds where it happened; a full file system is a full ESP from here on.
template <typename F>
decltype(auto) on_esp(const std::string& doing, F&& f) {
    try {
        return std::forward<F>(f)();
    } catch (Error& e) {
        e.add_context(doing);
        if (e.code() != ErrorCode::NoSpace) throw;
        throw Error(ErrorCode::EspFull, e.system(), e.what(), kFullHint);
    }
}

std::string in_quotes(std::string_view name) {
    return "'" + printable(name, 255) + "'";
}

[[noreturn]] void throw_missing(const std::string& file) {
    throw Error(ErrorCode::NotFound,
                "no file " + in_quotes(file) + " in " + kEntriesPath,
                "run 'cfsctl status' to see what the EFI system partition holds now");
}

UniqueFd make_entries_dir(int root) {
    if (auto dir = find_entries_dir(root)) return std::move(*dir);
    make_dirs_at(root, kEntriesPath, 0755);
    return open_dir_at(root, kEntriesPath);
}

void require_digest(std::string_view what, const Digest& expected, const Digest& found) {
    if (found == expected) return;
    throw Error(
        ErrorCode::DigestMismatch,
        std::string(what) + " hashes to " + to_oci(found) + ", expected " + to_oci(expected),
        "try again; if it repeats, the disk damages data: check the kernel log");
}

void require_bootable_size(std::uint64_t size, std::uint64_t max) {
    if (size > 0 && size <= max) return;
    throw Error(
        ErrorCode::BadFormat,
        "the UKI has " + std::to_string(size) + " bytes, expected 1 to " + std::to_string(max),
        "build a smaller UKI: firmware cannot load this one");
}

/// The temporary file that a record speaks of, still as large as it was.
void require_staged(int dir, const StagedUki& staged) {
    if (staged.file != staged_file_name(staged.final_name.stem)) {
        throw Error(ErrorCode::InvalidArgs,
                    in_quotes(staged.file) + " is not the temporary name of " +
                        in_quotes(staged.final_name.stem));
    }
    const auto st = stat_at(dir, staged.file);
    if (!st || !S_ISREG(st->st_mode)) throw_missing(staged.file);
    const auto size = static_cast<std::uint64_t>(st->st_size);
    if (size == staged.size) return;
    throw Error(ErrorCode::DigestMismatch,
                in_quotes(staged.file) + " has " + std::to_string(size) + " bytes, expected " +
                    std::to_string(staged.size),
                "the staged file was changed: run the update again");
}

void copy_verified(int dir, int uki_fd, const StagedUki& staged) {
    const HashAlgorithm algorithm = staged.sha256.algorithm();
    PendingFile pending(dir, staged.file);
    const CopyResult copied = copy_durably(uki_fd, pending.fd(), algorithm);
    require_digest("the UKI to copy", staged.sha256, copied.digest);
    const CopyResult found = hash_from_medium(dir, staged.file, algorithm);
    require_digest("what the ESP returns of the UKI", staged.sha256, found.digest);
    pending.keep();
}

}  // namespace

UkiEsp::UkiEsp(OpenVolume esp,
               std::optional<OpenVolume> xbootldr,
               DescribeUki describe,
               std::uint64_t max_uki_bytes)
    : target_(std::move(esp)), describe_(std::move(describe)), max_uki_bytes_(max_uki_bytes) {
    if (!xbootldr) return;
    other_ = std::move(target_);
    target_ = std::move(*xbootldr);
}

std::unique_ptr<UkiEsp> UkiEsp::open_path(const std::string& path,
                                          DescribeUki describe,
                                          std::uint64_t max_uki_bytes) {
    return std::make_unique<UkiEsp>(
        OpenVolume{open_root(path), path}, std::nullopt, std::move(describe), max_uki_bytes);
}

std::string UkiEsp::location() const {
    return target_.location;
}

std::vector<const OpenVolume*> UkiEsp::volumes() const {
    if (other_) return {&target_, &*other_};
    return {&target_};
}

std::vector<UniqueFd> UkiEsp::entries_dirs() const {
    std::vector<UniqueFd> out;
    for (const OpenVolume* volume : volumes()) {
        if (auto dir = find_entries_dir(volume->root.get())) out.push_back(std::move(*dir));
    }
    return out;
}

UniqueFd UkiEsp::dir_with(const std::string& file) const {
    for (UniqueFd& dir : entries_dirs()) {
        if (find_file(dir.get(), file)) return std::move(dir);
    }
    throw_missing(file);
}

void UkiEsp::require_fresh(const std::string& stem, std::string_view except) const {
    for (const UniqueFd& dir : entries_dirs())
        require_fresh_stem(dir.get(), stem, except);
}

void UkiEsp::check_space(const SpaceRequest& request) {
    require_bootable_size(request.uki, max_uki_bytes_);
    const EspSpace found = space();
    const std::uint64_t needed = space_needed({request.uki}, found.cluster_bytes) + request.reserve;
    if (needed <= found.free_bytes + request.replaced) return;
    throw Error(ErrorCode::EspFull,
                "the EFI system partition '" + target_.location + "' has " +
                    std::to_string(found.free_bytes) + " bytes free, needed are " +
                    std::to_string(needed) + " for a UKI of " + std::to_string(request.uki),
                kFullHint);
}

StagedUki UkiEsp::stage(int uki_fd, const Digest& sha256_of_file, const EntryName& final_name) {
    require_valid_name(final_name);
    const StagedUki staged{
        staged_file_name(final_name.stem), final_name, sha256_of_file, file_size(uki_fd)};
    require_bootable_size(staged.size, max_uki_bytes_);
    const std::string doing = "copying the UKI (" + std::to_string(staged.size) +
                              " bytes) to the ESP '" + target_.location + "' as '" + staged.file +
                              "'";
    on_esp(doing, [&] {
        const UniqueFd dir = make_entries_dir(target_.root.get());
        require_fresh(final_name.stem);
        crash_point("esp.before-copy");
        (void)unlink_at(dir.get(), staged.file);
        copy_verified(dir.get(), uki_fd, staged);
        crash_point("esp.copied");
    });
    return staged;
}

void UkiEsp::verify(const StagedUki& staged) {
    on_esp("reading '" + staged.file + "' back from the ESP '" + target_.location + "'", [&] {
        const UniqueFd dir = dir_with(staged.file);
        require_staged(dir.get(), staged);
        const CopyResult found =
            hash_from_medium(dir.get(), staged.file, staged.sha256.algorithm());
        require_digest("the staged UKI", staged.sha256, found.digest);
    });
}

void UkiEsp::arm(const StagedUki& staged) {
    require_valid_name(staged.final_name);
    const std::string target = format_entry_name(staged.final_name);
    on_esp("arming '" + target + "' on the ESP '" + target_.location + "'", [&] {
        const UniqueFd dir = dir_with(staged.file);
        require_staged(dir.get(), staged);
        require_fresh(staged.final_name.stem);
        crash_point("esp.before-arm");
        rename_noreplace_at(dir.get(), staged.file, target);
        make_durable(dir.get(), target);
        crash_point("esp.armed");
    });
}

void UkiEsp::restore(int uki_fd, const Digest& sha256_of_file, const EntryName& name) {
    require_valid_name(name);
    const StagedUki copy{staged_file_name(name.stem), name, sha256_of_file, file_size(uki_fd)};
    require_bootable_size(copy.size, max_uki_bytes_);
    const std::string target = format_entry_name(name);
    on_esp("putting '" + target + "' back on the ESP '" + target_.location + "'", [&] {
        const UniqueFd dir = make_entries_dir(target_.root.get());
        (void)unlink_at(dir.get(), copy.file);
        copy_verified(dir.get(), uki_fd, copy);
        crash_point("esp.restoring");
        for (const UniqueFd& each : entries_dirs()) {
            for (const std::string& old : files_of_stem(each.get(), name.stem))
                (void)unlink_at(each.get(), old);
        }
        rename_noreplace_at(dir.get(), copy.file, target);
        make_durable(dir.get(), target);
        crash_point("esp.restored");
    });
}

void UkiEsp::rename_entry(const std::string& file, const std::optional<Counter>& counter) {
    on_esp("renaming the boot entry '" + printable(file, 255) + "' on the ESP '" +
               target_.location + "'",
           [&] {
               const UniqueFd dir = dir_with(file);
               const auto actual = find_file(dir.get(), file);
               const auto name = actual ? parse_entry_name(*actual) : std::nullopt;
               if (!name) throw_missing(file);
               const EntryName wanted{name->stem, counter};
               require_valid_name(wanted);
               require_fresh(name->stem, *actual);
               const std::string target = format_entry_name(wanted);
               if (target != *actual) rename_noreplace_at(dir.get(), *actual, target);
               make_durable(dir.get(), target);
           });
}

void UkiEsp::demote(const std::string& file) {
    rename_entry(file, kDemoted);
    crash_point("esp.demoted");
}

void UkiEsp::promote(const std::string& file, Counter counter) {
    rename_entry(file, counter);
}

void UkiEsp::bless(const std::string& file) {
    rename_entry(file, std::nullopt);
}

void UkiEsp::unstage(const std::string& stem) {
    for (const UniqueFd& dir : entries_dirs()) {
        const auto actual = find_file(dir.get(), staged_file_name(stem));
        if (!actual) continue;
        (void)unlink_at(dir.get(), *actual);
        sync_file_system(dir.get(), target_.location);
    }
}

std::vector<std::string> UkiEsp::sweep_leftovers(const std::vector<std::string>& keep) {
    std::vector<std::string> removed;
    for (const UniqueFd& dir : entries_dirs()) {
        for (const StagedFile& leftover : staged_files(dir.get())) {
            if (std::find(keep.begin(), keep.end(), leftover.stem) != keep.end()) continue;
            if (unlink_at(dir.get(), leftover.file)) removed.push_back(leftover.file);
        }
        if (!removed.empty()) sync_file_system(dir.get(), target_.location);
    }
    return removed;
}

void UkiEsp::remove(const std::string& stem) {
    for (const UniqueFd& dir : entries_dirs()) {
        for (const std::string& file : files_of_stem(dir.get(), stem)) {
            (void)unlink_at(dir.get(), file);
        }
        sync_file_system(dir.get(), target_.location);
        crash_point("esp.removed");
        for (const std::string& file : list_dir(dir.get())) {
            if (same_name(file, stem + ".efi.extra.d")) remove_tree_at(dir.get(), file);
        }
        sync_file_system(dir.get(), target_.location);
    }
}

}  // namespace cfs::boot
