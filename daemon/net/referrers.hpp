// SPDX-License-Identifier: Apache-2.0
/// \file Lists of artifacts that belong to an image: OCI distribution-spec 1.1, "Listing
/// Referrers".
#pragma once

#include "net/oci_types.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::net {

/// The tag under which registries without the API keep the list: "sha256-0123...", at most 32 and
/// 64 characters of the two parts.
[[nodiscard]] std::string referrers_tag(const Digest& subject);

/// The query ("?n=2&last=x") of a Link field's target with rel="next", which must be `path` again,
/// with or without a scheme and host; empty: there is no next page. Takes hostile text.
/// \throws Network when it leads anywhere else
[[nodiscard]] std::string next_page(std::string_view link, const std::string& path);

/// Collects pages: each descriptor once, of `artifact_type` only unless that is empty.
class ReferrersList {
 public:
    explicit ReferrersList(std::string artifact_type) : artifact_type_(std::move(artifact_type)) {}

    /// One page, an OCI index. BadFormat for anything else and for too many pages.
    void add(const Bytes& document);
    void add(const Descriptor& descriptor);

    [[nodiscard]] std::vector<Descriptor> take() { return std::move(found_); }

 private:
    std::string artifact_type_;
    std::set<std::string> seen_;
    std::vector<Descriptor> found_;
    std::size_t pages_ = 0;
};

}  // namespace cfs::net
