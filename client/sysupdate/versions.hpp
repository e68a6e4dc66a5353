// SPDX-License-Identifier: Apache-2.0
/// \file The daemon's deployments as systemd's clients see them: a list of named versions. Pure.
///
/// There a version is its name, here it is a digest. Of several images with one version all but the
/// oldest are named "VERSION+DIGITS", by the digits that their manifest's digest begins with; one
/// without a version is named by its digest alone.
#pragma once

#include "client/model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cfs::sysupdate {

struct Version {
    std::string name;        ///< one line, never empty, no other's
    bool newest = false;     ///< of those that are available, or of those that are installed
    bool available = false;  ///< can be fetched, or was by Acquire
    bool installed = false;  ///< all of it, and Acquire's alone does not count
    bool obsolete = false;   ///< older than the newest that is installed
    bool is_protected = false;
    bool acquired = false;
    std::string changelog_url;    ///< may be empty
    std::string manifest_digest;  ///< "sha256:...", may be empty
    std::int64_t time = 0;        ///< seconds since the epoch: when it was installed, or found
};

/// A version that can be brought, or made the next boot.
struct Offer {
    std::string name;
    std::string manifest_digest;  ///< "sha256:..."
};

struct Known {
    std::vector<Version> versions;  ///< newest first
    std::string installed;          ///< newest that counts as installed; empty: none
    std::optional<Offer> offer;     ///< what the last check found
    std::optional<Offer> acquired;  ///< by Acquire: staged and locked
    std::optional<Offer> locked;    ///< the same, by somebody else: not ours to install

    /// What CheckNew says: found, or acquired and not installed yet.
    [[nodiscard]] std::string candidate() const;

    [[nodiscard]] const Version* find(const std::string& name) const;
};

/// \param acquired digest of the deployment that Acquire brought; empty: none
[[nodiscard]] Known know(const client::Status& status, const std::string& acquired = "");

/// Describe's JSON, with systemd 257's names and types: "contents" has an entry, of scalars,
/// because updatectl aborts when there is none or another type in it.
[[nodiscard]] std::string describe(const Version& version);

}  // namespace cfs::sysupdate
