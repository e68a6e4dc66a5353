// SPDX-License-Identifier: Apache-2.0
/// \file The three-way decision for one entry of which both sides have the same type, part by part.
#pragma once

#include "etc/accounts.hpp"
#include "etc/compare.hpp"
#include "etc/merge.hpp"
#include "etc/result.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace cfs::etc {

/// What a three-way comparison of one part says.
enum class Pick : std::uint8_t {
    Same,       ///< both sides agree
    Vendor,     ///< untouched here, changed by the vendor
    Local,      ///< changed here, untouched by the vendor
    Clash,      ///< changed differently: the local one stays
    Overruled,  ///< changed here, and a rule takes the vendor's
};

/// Names of the parts ("content", "permissions", an attribute) by what was decided.
struct PartsReport {
    std::vector<std::string> local;
    std::vector<std::string> vendor;
    std::vector<std::string> withheld;  ///< the vendor's that lost; these are in `local` too
    std::vector<std::string> dropped;   ///< local ones that a rule gave up; in `vendor` too
    bool content_is_local = false;
    bool content_clashed = false;

    void add(const std::string& part, Pick pick);

    [[nodiscard]] bool nothing() const { return local.empty() && vendor.empty(); }

    /// \pre !nothing()
    [[nodiscard]] Change to_change(const std::string& path) const;
};

struct MergedEntry {
    ResultEntry entry;
    PartsReport report;
};

/// An entry exactly as it is on one side; children are left to the caller.
[[nodiscard]] ResultEntry whole_entry(Node& node, Side side);

/// \param base the old image's entry, or nullptr if it has none of that type
/// \param lines what a merge by lines made of the content, or nullptr
/// \param policy the rule for this path; with `Ignore` the report says nothing
/// \pre current.type() == next.type()
[[nodiscard]] MergedEntry merge_parts(Node* base,
                                      Node& current,
                                      Node& next,
                                      const AccountFile* lines,
                                      Policy policy,
                                      const std::stop_token& stop);

}  // namespace cfs::etc
