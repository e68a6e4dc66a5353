// SPDX-License-Identifier: Apache-2.0
/// \file What it means that two entries are the same, part by part.
#pragma once

#include "etc/node.hpp"

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::etc {

/// Mode, owner, access ACL and capabilities: one unit, so that a set-user-ID bit never meets an
/// owner it was not given for.
struct Permissions {
    mode_t mode = 0;  ///< 07777
    uid_t uid = 0;
    gid_t gid = 0;
    Xattrs xattrs;

    bool operator==(const Permissions&) const = default;
};

[[nodiscard]] Permissions permissions_of(Node& node);

/// Where an extended attribute belongs.
enum class XattrRole : std::uint8_t {
    Label,       ///< follows the vendor, never compared
    Permission,  ///< part of Permissions
    Content,     ///< a signature of the content: goes wherever the content goes
    Plain,       ///< decided by itself
};

[[nodiscard]] XattrRole xattr_role(std::string_view name);

/// Attributes of one role.
[[nodiscard]] Xattrs xattrs_of(Node& node, XattrRole role);

/// Same type and same bytes, link target or device number. Directories: always; their names are
/// decided one by one. Throws Cancelled between blocks of a large file.
[[nodiscard]] bool same_content(Node& one, Node& other, const std::stop_token& stop);

/// Content, permissions and plain attributes, without what is below a directory.
[[nodiscard]] bool same_entry(Node& one, Node& other, const std::stop_token& stop);

/// Paths at which the trees `one` and `other` (either may be nothing) differ, at most `limit`.
/// `other_is_current`: special files that only `other` has do not count.
[[nodiscard]] std::vector<std::string> differences(
    Node* one, Node* other, bool other_is_current, std::size_t limit, const std::stop_token& stop);

}  // namespace cfs::etc
