// SPDX-License-Identifier: Apache-2.0
/// \file A release that reaches the machines one after the other. Its image says how, by
/// annotations of its manifest:
///
///     org.cfsupdate1.rollout.start     when it begins: RFC 3339, "2026-11-22T03:00:00Z"
///     org.cfsupdate1.rollout.duration  until it reached them all: a duration, "72h"
///     org.cfsupdate1.rollout.percent   and no more than this many of them: 0 to 100
///
/// They come from the registry, unsigned: whoever could change them could as well not offer the
/// image at all. Nothing here makes an update possible that would not be. Pure.
#pragma once

#include "policy/calendar.hpp"
#include "settings/policy_settings.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace cfs::policy {

struct Rollout {
    std::optional<Time> start;  ///< none: when this machine first saw the release
    std::optional<std::chrono::milliseconds> duration;
    std::optional<unsigned> percent;

    bool operator==(const Rollout&) const = default;
};

/// What is there and can be read; a value that cannot counts as not given, so that a slip of the
/// pen holds no fleet back. A start is taken up to the year 2100, a duration up to a year.
[[nodiscard]] Rollout read_rollout(const std::map<std::string, std::string>& annotations);

/// RFC 3339 without fractions, with "Z" or "+01:00"; nullopt: not that.
[[nodiscard]] std::optional<Time> parse_moment(std::string_view text);

/// When it is this machine's turn; nullopt: not in this rollout, as it stands.
/// \param share of the machine for this release, see share_of()
[[nodiscard]] std::optional<Time> turn(const Rollout& rollout,
                                       const settings::PolicySettings& policy,
                                       Time first_seen,
                                       double share);

}  // namespace cfs::policy
