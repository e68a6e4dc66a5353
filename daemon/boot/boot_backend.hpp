// SPDX-License-Identifier: Apache-2.0
/// \file The seam to what the firmware boots from. First implementation: UkiEsp.
#pragma once

#include "base/unique_fd.hpp"
#include "boot/entry_name.hpp"
#include "boot/loader_order.hpp"
#include "crypto/digest.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cfs::boot {

/// All in bytes.
struct EspSpace {
    std::uint64_t free_bytes = 0;
    std::uint64_t cluster_bytes = 0;  ///< files occupy whole clusters
    std::uint64_t total = 0;
};

/// Bytes that must be free before files of these sizes are copied: each rounded up to clusters, two
/// clusters for the growth of directories, and a reserve (1 % of the files, at least 1 MiB).
/// Saturates instead of overflowing: sizes may come from a hostile manifest.
[[nodiscard]] std::uint64_t space_needed(const std::vector<std::uint64_t>& file_sizes,
                                         std::uint64_t cluster_bytes);

/// What check_space() is asked for, in bytes.
struct SpaceRequest {
    std::uint64_t uki = 0;
    std::uint64_t reserve = 0;   ///< to stay free beside what space_needed() counts
    std::uint64_t replaced = 0;  ///< of files that go before the UKI is copied
};

/// What the loader reads from a UKI's os-release. `sort_key`: IMAGE_ID, else ID; `version`:
/// IMAGE_VERSION, else VERSION, VERSION_ID, BUILD_ID.
struct UkiDescription {
    std::string sort_key;
    std::string version;
    std::string machine_id;
    std::string title;
};

/// Reads a description from an open UKI (position 0, read-only); nullopt or an Error when a loader
/// would not list the file. Given by the caller, because boot does not know the UKI format. Reads
/// headers and sections, never whole files: they have 50 to 250 MB each.
using DescribeUki = std::function<std::optional<UkiDescription>(int uki_fd)>;

/// A UKI that lies on the ESP, complete, synced and verified, under a name that no loader lists. A
/// plain value: callers keep it in their records across restarts.
struct StagedUki {
    std::string file;      ///< temporary name, without its folder
    EntryName final_name;  ///< what arm() will call it
    Digest sha256;         ///< of the whole file (the algorithm that stage() was given)
    std::uint64_t size = 0;
};

/// A temporary file found on the ESP: staged, or left over by a crash in the middle of staging.
struct StagedFile {
    std::string stem;
    std::string file;
    std::uint64_t size = 0;
};

/// Order of use: check_space, stage, predict_after, (verify) arm; or unstage. Every method that
/// changes something is durable when it returns, and leaves all files it was not asked about as
/// they were. One process at a time changes entries (the caller holds its lock); tools that do not
/// know the lock may rename entries meanwhile, so each change looks at the directory anew.
/// Not thread-safe. `file` is a name as given by list(), without its folder; case is ignored.
/// Errors: Io for a read-only or failing ESP, EspFull, NotFound, Busy when another entry has the
/// name or the stem, InvalidArgs for a name that may not be used.
class BootBackend {
 public:
    BootBackend() = default;
    BootBackend(const BootBackend&) = delete;
    BootBackend& operator=(const BootBackend&) = delete;
    virtual ~BootBackend() = default;

    /// Where new entries go, for messages.
    [[nodiscard]] virtual std::string location() const = 0;

    /// Every entry-like file, sorted by name. Never fails for one bad entry: `problem` says what is
    /// odd, `readable` whether the loader lists it.
    [[nodiscard]] virtual std::vector<LoaderEntry> list() = 0;

    /// Where another tool (bootc) has loader entries laid out that it swaps in at shutdown; empty
    /// when it has not.
    [[nodiscard]] virtual std::string foreign_stage() = 0;

    [[nodiscard]] virtual EspSpace space() = 0;

    /// EspFull, naming needed and free, unless a UKI of that size fits with the reserve. BadFormat
    /// when it is larger than this machine boots.
    virtual void check_space(const SpaceRequest& request) = 0;

    /// Copies the whole file behind `uki_fd` (from offset 0; its position is not used) under a
    /// temporary name, syncs, reads it back from the medium. DigestMismatch, with nothing left
    /// behind, unless source and copy hash to `sha256_of_file`. A leftover of the same stem is
    /// replaced; Busy when an entry with this stem is there already; BadFormat as check_space, but
    /// only a really full ESP is EspFull. After a crash: a leftover,
    /// seen by staged(), listed by no loader.
    [[nodiscard]] virtual StagedUki stage(int uki_fd,
                                          const Digest& sha256_of_file,
                                          const EntryName& final_name) = 0;

    /// Reads the staged file back from the medium; DigestMismatch or NotFound. stage() has done so;
    /// call it again when time has passed.
    virtual void verify(const StagedUki& staged) = 0;

    [[nodiscard]] virtual std::vector<StagedFile> staged() = 0;

    /// Removes temporary files whose stem is not in `keep`; returns the removed names.
    virtual std::vector<std::string> sweep_leftovers(const std::vector<std::string>& keep) = 0;

    /// File name of the entry that the loader boots next; empty when it would find none.
    [[nodiscard]] virtual std::string predict_next() = 0;

    /// The same once `staged` is armed, and the entries of the stems in `demoted` are. Loaders of
    /// different age can disagree: then the answer is the one that is not the staged entry, so
    /// "equal to the staged name" means that every supported loader takes it.
    [[nodiscard]] virtual std::string predict_after(const StagedUki& staged,
                                                    const UkiDescription& description,
                                                    const std::vector<std::string>& demoted) = 0;

    /// Stems of the entries that one supported loader or another takes before the one of `stem`,
    /// were that one given tries. Empty for a stem that has no entry.
    [[nodiscard]] virtual std::vector<std::string> ahead_of(const std::string& stem) = 0;

    /// Why try_once() would not work here; empty if nothing that can be seen beforehand speaks
    /// against it.
    [[nodiscard]] virtual std::string why_no_trial() = 0;

    /// The loader starts the entry of this stem next, whatever its place in the order, and once:
    /// the boot after that one is by order again. The entry need not be there yet. Doing it again
    /// changes nothing. After a crash: done or not, or what another choice was is gone. Unsupported
    /// with what stops it.
    virtual void try_once(const std::string& stem) = 0;

    /// Ends try_once() of this stem. Errors as try_once().
    virtual void forget_once(const std::string& stem) = 0;

    /// The switch: one rename to the final name. After a crash the old or the new name is there; a
    /// new name may be incomplete if power failed before this returned, and the older entries stay
    /// as they were.
    virtual void arm(const StagedUki& staged) = 0;

    /// Puts an entry's bytes back: copies and reads back as stage() does, removes what else has the
    /// stem, then takes the name. Errors as stage(), which leave what is there. After a crash the
    /// old file is there or the new one; or, if power failed before this returned, neither, with
    /// the copy under its temporary name.
    virtual void restore(int uki_fd, const Digest& sha256_of_file, const EntryName& name) = 0;

    /// Removes the temporary file; missing is not an error.
    virtual void unstage(const std::string& stem) = 0;

    /// Marks an entry bad: "+0-1". The loader then takes it last.
    virtual void demote(const std::string& file) = 0;

    /// Gives an entry tries again.
    virtual void promote(const std::string& file, Counter counter) = 0;

    /// Drops the counter: the entry is proven.
    virtual void bless(const std::string& file) = 0;

    /// Removes the entry with this stem, whatever its counter; once that is durable, its companions
    /// ("<stem>.efi.extra.d"). Missing is not an error.
    virtual void remove(const std::string& stem) = 0;

    /// Read-only; entries and temporary files. nullopt if missing or not a regular file.
    [[nodiscard]] virtual std::optional<UniqueFd> open(const std::string& file) = 0;
};

}  // namespace cfs::boot
