// SPDX-License-Identifier: Apache-2.0
/// \file What we know of one deployment, as it is kept in state/cfsupdated/deployments/<stem>.json.
#pragma once

#include "boot/boot_backend.hpp"
#include "crypto/digest.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace cfs::update {

/// How far a deployment has come. Written before each step begins, so that a crash can be told from
/// a finished step.
enum class Phase {
    Staging,     ///< its pins, state directory and ESP file are being made
    Staged,      ///< all of that is durable; waits for finalize
    Finalizing,  ///< /etc is being merged and exchanged, then the entry renamed
    Armed,       ///< the entry has its final name; not seen running yet
    Booted,      ///< was seen running
    Removing,    ///< is being dropped
};

[[nodiscard]] std::string_view to_string(Phase phase);

/// A value. Invariant of a parsed one: stem, image and manifest are set.
struct DeploymentRecord {
    std::string stem;          ///< of the ESP entry; unique for ever
    std::uint64_t serial = 0;  ///< grows with each installation
    Phase phase = Phase::Staging;
    Digest image;           ///< fs-verity digest of the composefs image: the state directory's name
    bool insecure = false;  ///< the UKI's argument has a '?'
    Digest manifest;        ///< OCI digest
    std::string reference;  ///< where it came from
    Digest uki_object;      ///< the UKI in the store
    Digest uki_sha256;      ///< plain SHA-256 of the UKI file
    Digest authenticode;    ///< SHA-256 Authenticode hash: "the same UKI" even if signed anew
    std::string boot_digest;  ///< uki::boot_digest(), hex; empty in records of older versions
    std::uint64_t uki_size = 0;
    std::string staged_file;  ///< temporary name on the ESP
    std::string id, image_id, version, title, sort_key, architecture;
    std::uint64_t security_version = 0;
    std::int64_t installed = 0;  ///< seconds since the epoch
    bool shared_state = false;   ///< the state directory existed before: it holds somebody's /etc
    bool proven = false;         ///< ran, and its health checks passed
    /// Somebody named it although it was held: that hold does not stop it, and goes when it is
    /// armed.
    bool wanted = false;
    /// What arming it released: held again if it goes without having run.
    std::string released_key, released_reason;
    std::uint64_t merged_inode = 0;  ///< of the merged /etc while it is exchanged: etc_switch.hpp
    std::string previous_etc;  ///< name of the /etc that a kept slot had before: etc_switch.hpp
    std::uint64_t previous_inode = 0;  ///< and its inode number
    bool locked = false;               ///< staged, and no shutdown arms it
    bool for_anyone = false;           ///< locked, and waits for whoever wants it
    bool pinned = false;               ///< somebody wants it to stay, whatever is collected
    std::string origin;       ///< where its updates come from; empty: from the configured image
    bool switched = false;    ///< asked for as another product or version: neither is compared
    bool downgraded = false;  ///< asked for as a lower version
    /// It does not come first in the loader's order: a variable has it started once, and when it is
    /// proven those ahead of it are demoted (tried_once.hpp).
    bool tried_once = false;
    bool left =
        false;  ///< demoted for something that was wanted more: the way back, and no failure

    [[nodiscard]] std::string to_json() const;

    /// nullopt when the text is no record that can be used.
    [[nodiscard]] static std::optional<DeploymentRecord> from_json(std::string_view text);

    /// As the ESP backend wants it. \param tries boot attempts; 0: an uncounted entry
    [[nodiscard]] boot::StagedUki staged_uki(unsigned tries) const;

    [[nodiscard]] bool same_update(const DeploymentRecord& other) const {
        return image == other.image && authenticode == other.authenticode;
    }
};

/// What a hold of `record` names: its image; the UKI alone (its Authenticode hash) where the image
/// is that of `kept`, which goes on.
[[nodiscard]] const Digest& hold_key(const DeploymentRecord& record, const DeploymentRecord& kept);

/// The reason for which `record` is held, by its image or its UKI; nullptr when it is not. \param
/// held StateDir::held()
[[nodiscard]] const std::string* find_hold(const std::map<std::string, std::string>& held,
                                           const DeploymentRecord& record);

}  // namespace cfs::update
