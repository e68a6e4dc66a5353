// SPDX-License-Identifier: Apache-2.0
/// \file What was done to this machine: one entry for each change, and for each that failed. For
/// people and monitoring; nothing decides by it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cfs::update {

/// Who had something done.
struct Initiator {
    /// "root", "user", "install" (cfsctl install), "shutdown", "boot" (what a boot came to), or
    /// "recovery" (what a crash left was put in order).
    std::string kind = "root";
    std::uint32_t uid = 0;  ///< of a "user"

    bool operator==(const Initiator&) const = default;
};

/// One end of a change; both empty where there was or is none.
struct HistoryVersion {
    std::string version;  ///< from the UKI's os-release
    std::string digest;   ///< of the composefs image, hex

    bool operator==(const HistoryVersion&) const = default;
};

struct HistoryEntry {
    /// "install", "update", "stage", "finalize", "rollback", "collect", "repair", "fallback",
    /// "proven", ...; "unreadable" stands for a line that is no entry.
    std::string kind;
    std::string result;          ///< "done", "failed", "cancelled" or "interrupted"
    std::int64_t time = 0;       ///< seconds since the epoch, of its end
    std::int64_t first = 0;      ///< of the first of `times`
    std::uint64_t times = 1;     ///< how often it failed so in a row
    HistoryVersion from;         ///< what ran
    HistoryVersion to;           ///< what it was about, as far as it is known
    std::string error;           ///< "NoSpace", ... as in ErrorCode; empty unless it failed
    std::string message;         ///< of the error; else a remark for people
    std::uint64_t fetched = 0;   ///< bytes of blobs, as they came over the wire
    std::uint64_t reused = 0;    ///< bytes of layers that were here
    std::uint64_t duration = 0;  ///< milliseconds
    Initiator initiator;

    /// One line of JSON with its line break, below 8 KiB: long texts are cut.
    [[nodiscard]] std::string to_line() const;

    /// nullopt when the text is no entry.
    [[nodiscard]] static std::optional<HistoryEntry> from_line(std::string_view line);

    /// Failed for the same reason in the same place: counted, not listed again, or a machine
    /// without a network would soon remember nothing else.
    [[nodiscard]] bool repeats(const HistoryEntry& last) const;
};

/// The file has at most kMostHistory lines; beyond that the oldest go, down to kKeptHistory.
inline constexpr std::size_t kMostHistory = 300;
inline constexpr std::size_t kKeptHistory = 256;

}  // namespace cfs::update
