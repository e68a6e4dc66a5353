// SPDX-License-Identifier: Apache-2.0
/// \file The gate: the UKI layer is fetched first and judged before anything else is, so that a
/// wrong image costs one layer.
#pragma once

#include "net/image_source.hpp"
#include "uki/uki.hpp"
#include "update/machine.hpp"

#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace cfs::update {

/// Which layer holds the UKI: the only one annotated `org.cfsupdate1.layer=uki`. BadFormat for none
/// or several, saying which.
[[nodiscard]] std::size_t find_uki_layer(const net::Manifest& manifest);

/// The one UKI of a layer. Collects entries and refuses what must not be there: a path outside
/// /boot, or /boot itself (its metadata is part of the image), more than one UKI in
/// /boot/EFI/Linux, a UKI that is no plain file.
class UkiLayer {
 public:
    void add(const image::TarEntry& entry);

    /// BadFormat when there was none.
    [[nodiscard]] const image::TarEntry& uki() const;

 private:
    std::vector<image::TarEntry> ukis_;
};

/// A UKI that passed.
struct JudgedUki {
    uki::Uki uki;
    uki::ComposefsArg argument;
    Digest object;       ///< in the store
    Digest sha256;       ///< of the file
    std::string signer;  ///< subject; empty when unsigned (unsealed machines only)
};

/// What somebody asked for on purpose, and is otherwise refused.
struct Allowed {
    bool other_product = false;
    bool lower_version = false;
};

[[nodiscard]] inline Allowed allowed_for(const DeploymentRecord& record) {
    return {record.switched, record.switched || record.downgraded};
}

/// Everything that can be said of a UKI without its image: signature and pin, architecture,
/// identity, version, floor, spelling of the image argument against the store, size. Throws the
/// design's named errors. \param booted identity to compare with; nullptr on a first installation
[[nodiscard]] JudgedUki judge_uki(Machine& machine,
                                  const Digest& object,
                                  const DeploymentRecord* booted,
                                  Allowed allowed = {});

/// Is the image argument one that this store can boot? Unsupported or BadFormat with the reason.
void check_argument(const uki::ComposefsArg& argument,
                    const store::Repository& store,
                    settings::TrustMode mode);

}  // namespace cfs::update
