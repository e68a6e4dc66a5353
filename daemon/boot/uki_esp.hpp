// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/limits.hpp"
#include "base/unique_fd.hpp"
#include "boot/boot_backend.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::boot {

/// UKIs in EFI/Linux of an EFI system partition, which systemd-boot offers as type-2 entries.
///
/// Works on any directory that stands for the ESP and never leaves it; the caller mounts the real
/// partition. Obeys the rules that hold on vfat after a power cut: files only ever get fresh names
/// (no rename over anything, no truncation), each change ends with fsync of the file and syncfs,
/// and no file has a name that a loader lists before it is complete. Names are compared without
/// regard to case and created in lower case. Type-1 entries and loader.conf are read for the
/// prediction; EFI variables are not consulted.
///
/// Crash points: esp.before-copy, esp.copied, esp.before-arm, esp.armed, esp.demoted, esp.removed.
class UkiEsp final : public BootBackend {
 public:
    /// \param root     directory of the ESP's root, as open_root() gives
    /// \param location where that is, for messages
    UkiEsp(UniqueFd root,
           std::string location,
           DescribeUki describe,
           std::uint64_t max_uki_bytes = kMaxUkiBytes);

    /// NotFound if there is no such directory.
    [[nodiscard]] static std::unique_ptr<UkiEsp> open_path(
        const std::string& path, DescribeUki describe, std::uint64_t max_uki_bytes = kMaxUkiBytes);

    [[nodiscard]] std::vector<LoaderEntry> list() override;
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
                                            const UkiDescription& description) override;
    void arm(const StagedUki& staged) override;
    void unstage(const std::string& stem) override;
    void demote(const std::string& file) override;
    void promote(const std::string& file, Counter counter) override;
    void bless(const std::string& file) override;
    void remove(const std::string& stem) override;
    [[nodiscard]] std::optional<UniqueFd> open(const std::string& file) override;

 private:
    [[nodiscard]] LoaderEntry describe_entry(int dir, const std::string& file);
    void rename_entry(const std::string& file, const std::optional<Counter>& counter);
    [[nodiscard]] std::string predict(const std::vector<LoaderEntry>& uki_entries, EntryIds ids);

    UniqueFd root_;
    std::string location_;
    DescribeUki describe_;
    std::uint64_t max_uki_bytes_;
};

}  // namespace cfs::boot
