// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/limits.hpp"
#include "base/unique_fd.hpp"
#include "boot/boot_backend.hpp"
#include "boot/efi_variables.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cfs::boot {

/// A directory that stands for a partition.
struct OpenVolume {
    UniqueFd root;         ///< as open_root() gives
    std::string location;  ///< where that is, for messages
    UniqueFd mount = {};   ///< kept as long as `root`
};

/// UKIs in EFI/Linux of an EFI system partition, which systemd-boot offers as type-2 entries. Where
/// there is an extended boot loader partition (XBOOTLDR) new ones go there; loaders offer those of
/// both, so both are read, and what is asked of an entry is done where it is.
///
/// Works on any directories that stand for the partitions and never leaves them; the caller mounts
/// the real ones. Obeys the rules that hold on vfat after a power cut: files only ever get fresh
/// names (no rename over anything, no truncation), each change ends with fsync of the file and
/// syncfs, and no file has a name that a loader lists before it is complete. Names are compared
/// without regard to case and created in lower case. Type-1 entries and loader.conf are read for
/// the prediction, and EFI variables where consult_variables() named them.
///
/// Crash points: esp.before-copy, esp.copied, esp.before-arm, esp.armed, esp.demoted,
/// esp.restoring, esp.restored, esp.removed.
class UkiEsp final : public BootBackend {
 public:
    UkiEsp(OpenVolume esp,
           std::optional<OpenVolume> xbootldr,
           DescribeUki describe,
           std::uint64_t max_uki_bytes = kMaxUkiBytes);

    /// NotFound if there is no such directory.
    [[nodiscard]] static std::unique_ptr<UkiEsp> open_path(
        const std::string& path, DescribeUki describe, std::uint64_t max_uki_bytes = kMaxUkiBytes);

    /// What predict_next() and predict_after() take into account from now on: LoaderEntryDefault,
    /// and the first alone LoaderEntryOneShot, which is over after one boot and which try_once()
    /// sets.
    void consult_variables(std::string efivars) { efivars_ = std::move(efivars); }

    /// predict_next() as loaders of one age have it, without variables.
    [[nodiscard]] std::string predict_by_order(EntryIds ids);

    [[nodiscard]] std::string location() const override;
    [[nodiscard]] std::vector<LoaderEntry> list() override;
    [[nodiscard]] std::string foreign_stage() override;
    [[nodiscard]] EspSpace space() override;
    void check_space(const SpaceRequest& request) override;
    [[nodiscard]] StagedUki stage(int uki_fd,
                                  const Digest& sha256_of_file,
                                  const EntryName& final_name) override;
    void verify(const StagedUki& staged) override;
    [[nodiscard]] std::vector<StagedFile> staged() override;
    std::vector<std::string> sweep_leftovers(const std::vector<std::string>& keep) override;
    [[nodiscard]] std::string predict_next() override;
    [[nodiscard]] std::string predict_after(const StagedUki& staged,
                                            const UkiDescription& description,
                                            const std::vector<std::string>& demoted) override;
    [[nodiscard]] std::vector<std::string> ahead_of(const std::string& stem) override;
    [[nodiscard]] std::string why_no_trial() override;
    void try_once(const std::string& stem) override;
    void forget_once(const std::string& stem) override;
    void arm(const StagedUki& staged) override;
    void restore(int uki_fd, const Digest& sha256_of_file, const EntryName& name) override;
    void unstage(const std::string& stem) override;
    void demote(const std::string& file) override;
    void promote(const std::string& file, Counter counter) override;
    void bless(const std::string& file) override;
    void remove(const std::string& stem) override;
    [[nodiscard]] std::optional<UniqueFd> open(const std::string& file) override;

 private:
    [[nodiscard]] LoaderEntry describe_entry(int dir, const std::string& file);
    void rename_entry(const std::string& file, const std::optional<Counter>& counter);
    [[nodiscard]] std::vector<LoaderEntry> in_order(std::vector<LoaderEntry> uki_entries,
                                                    EntryIds ids);
    [[nodiscard]] std::string predict(std::vector<LoaderEntry> uki_entries,
                                      EntryIds ids,
                                      const LoaderChoice& choice);

    /// Where new entries go first, the ESP last.
    [[nodiscard]] std::vector<const OpenVolume*> volumes() const;
    /// EFI/Linux of those that have it.
    [[nodiscard]] std::vector<UniqueFd> entries_dirs() const;
    /// The one of these with that file. \throws Error NotFound
    [[nodiscard]] UniqueFd dir_with(const std::string& file) const;
    void require_fresh(const std::string& stem, std::string_view except = {}) const;

    OpenVolume target_;                ///< where new entries go
    std::optional<OpenVolume> other_;  ///< the ESP, where that is another one
    DescribeUki describe_;
    std::uint64_t max_uki_bytes_;
    std::string efivars_;  ///< empty: no variables
};

}  // namespace cfs::boot
