// SPDX-License-Identifier: Apache-2.0
/// \file Three-way merge of /etc.
///
/// P (pristine) is the /etc of the image that runs, C (current) the machine's own, N (next) the
/// /etc of the image to come, R the result. One engine decides for the preview and for the real
/// thing: plan_merge() only reads and decides every path, apply_merge() carries a plan out.
///
/// What is compared. Content: type, bytes (size first), link target, device number. Permissions:
/// mode, owner, access ACL and file capabilities, as one unit, because a mode means nothing without
/// its owner. Every other extended attribute by itself. Never: mtime, the SELinux label (R takes
/// N's where N has an entry of that type, else C's), `trusted.overlay.*`, `security.evm` seals that
/// only the kernel can make. `security.ima` goes with the content.
///
/// What is decided, for each of these apart:
///   C equals P                     N, whatever it is, also nothing
///   N equals P                     C, whatever it is, also nothing; a type change is no conflict
///   C equals N                     that
///   all three differ               C (KeptLocal, `vendor_withheld`)
/// A name deleted in C stays deleted, whatever N has there. A directory that N removed stays where
/// something in it or its own metadata is local. C and N of different leaf types: C entirely,
/// unless it equals P.
///
/// What is a conflict: one of C and N is a directory and the other is not, C is not simply P, and
/// N's kind (directory, other, nothing) is not P's. So the vendor put something new in the way of
/// local data, or local data is in a directory that the vendor gave up for a file or a link. Then R
/// has the local one, and the vendor's beside it as NAME.new: nobody may be there to decide, and
/// nothing of either side is lost. NAME.new is written over only where it is an earlier merge's
/// untouched copy; else the vendor's is left out. Rules (etc/rules.hpp) decide before there is one.
///
/// passwd, group, shadow, gshadow, subuid and subgid are merged line by line where both sides
/// changed them (etc/accounts.hpp); of the rules only `ignore` and `restore` count for them, and
/// passwd's and group's count for shadow and gshadow too.
///
/// A FIFO, socket or device that the vendor did not ship is left out of R and reported. `.updated`
/// at the top is left out (systemd writes it after a boot). Names that are hard links of one file
/// in C stay so in R where R takes both contents from C with equal metadata; others become files of
/// their own.
///
/// Inode flags (chattr) are not carried.
///
/// No name is ever resolved through a symbolic link, no FIFO or device is ever opened. Not
/// thread-safe per descriptor; runs on the caller's thread and may block on the disk.
#pragma once

#include "etc/rules.hpp"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::etc {

/// Directory descriptors, borrowed, open for reading. -1: that image has no /etc.
struct MergeInput {
    int pristine = -1;
    int current = -1;
    int next = -1;
};

enum class ChangeKind : std::uint8_t {
    KeptLocal,        ///< content or type is local
    VendorUpdate,     ///< untouched here, new or changed by the vendor
    AddedLocal,       ///< the vendor has nothing of that name
    DeletedLocal,     ///< deleted here, and stays so
    RemovedByVendor,  ///< untouched here, gone
    MetadataLocal,    ///< same content everywhere, local metadata
    Merged,           ///< one part is local, another the vendor's update
    Ignored,          ///< FIFO, socket or device made here: not carried over
    Overruled,        ///< a rule said so: local, and not in R
    VendorBeside,     ///< NAME.new: the vendor's NAME, which is local in R
};

/// "kept-local", "vendor-update", ...: stable, for `--json`.
[[nodiscard]] std::string_view to_string(ChangeKind kind);

struct Change {
    std::string path;  ///< below /etc, no leading slash; "." is /etc itself
    ChangeKind kind = ChangeKind::KeptLocal;
    std::string detail;            ///< for people, may be empty; never holds content of files
    bool vendor_withheld = false;  ///< the vendor changed this too, and R does not have it
    bool local_dropped = false;    ///< changed here, and by a rule R does not have it

    bool operator==(const Change&) const = default;
};

enum class ConflictKind : std::uint8_t {
    Shape,  ///< a directory on one side and something else on the other
    Id,     ///< a UID, GID or range of the new image is somebody else's here
};

/// "shape", "id": stable, for `--json`.
[[nodiscard]] std::string_view to_string(ConflictKind kind);

struct Conflict {
    std::string path;
    ConflictKind kind = ConflictKind::Shape;
    std::string what;        ///< what is in whose way
    std::string resolution;  ///< what R has
    std::string hint;        ///< what to do

    bool operator==(const Conflict&) const = default;
};

struct ResultTree;

/// Value. The same three trees give the same plan.
struct MergePlan {
    std::vector<Change> changes;      ///< in the order of the walk: bytewise by name
    std::vector<Conflict> conflicts;  ///< same order; R has the resolution of each
    std::uint64_t result_bytes = 0;   ///< file content that apply_merge() will write
    std::uint64_t result_entries = 0;
    std::shared_ptr<const ResultTree> result;  ///< every path of R; opaque
};

/// Reads the three trees. Conflicts are part of the plan, not errors.
/// Throws BadFormat for directories nested deeper than 128, Cancelled, and what reading throws.
[[nodiscard]] MergePlan plan_merge(const MergeInput& input,
                                   const std::stop_token& stop = {},
                                   const Rules& rules = {});

/// For who wants to decide first: throws MergeConflict naming the first paths and what to do; all
/// of them are in details().
void require_no_conflicts(const MergePlan& plan);

/// Writes R into `out`, a fresh empty directory, whose own metadata becomes that of R's root.
/// Per entry: content, owner, mode, extended attributes, mtime. Syncs nothing: the caller does
/// syncfs and exchanges directories, and after a crash or any error throws `out` away.
/// Throws Busy, naming the path, when C is not what was planned for any more: plan again into a
/// fresh directory.
void apply_merge(const MergePlan& plan,
                 const MergeInput& input,
                 int out,
                 const std::stop_token& stop = {});

}  // namespace cfs::etc
