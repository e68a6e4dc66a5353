// SPDX-License-Identifier: Apache-2.0
/// \file The account files, merged line by line: as whole files, one user added here would keep
/// every user of a newer image out.
///
/// passwd, group, shadow, gshadow: a line is known by its first field and decided like a file; a
/// line changed on both sides is decided field by field, lists of members name by name, and a field
/// changed on both sides stays local. passwd and shadow, and group and gshadow, are decided
/// together: a line that the vendor removed stays in both if either half was changed here. An entry
/// locked here (password '!' or '*') or with an expiry date of its own is not opened by an image
/// (on a machine that changed nothing in either half the image's files are taken as they are).
/// subuid, subgid: sets of lines.
///
/// A line of the new image that brings a UID, GID or range which another name has here is a
/// conflict, and in neither half. passwd(5), shadow(5), group(5), gshadow(5), subuid(5).
///
/// Pure: text in, text out. Local lines keep their order, new ones follow (before any '+' line).
#pragma once

#include "etc/merge.hpp"

#include <map>
#include <string>
#include <vector>

namespace cfs::etc {

/// One file's content in the three trees; empty where it does not exist.
struct AccountTexts {
    std::string pristine;
    std::string current;
    std::string next;
};

struct AccountFile {
    std::string text;
    bool withheld = false;  ///< something of the vendor's is not in it

    bool operator==(const AccountFile&) const = default;
};

struct AccountMerge {
    std::map<std::string, AccountFile> files;
    std::vector<Conflict> conflicts;
};

/// Names of the files that this is for.
[[nodiscard]] const std::vector<std::string>& account_files();

/// The account file whose rule counts for `path` ("shadow" goes with "passwd"); empty if it is
/// none.
[[nodiscard]] std::string account_main_file(const std::string& path);

/// \param texts by file name; only files that C and N both have as regular files
/// A file is missing from the answer where the rule for whole files serves: where one side did not
/// change it (nor its other half), and where a name has two lines.
[[nodiscard]] AccountMerge merge_accounts(const std::map<std::string, AccountTexts>& texts);

}  // namespace cfs::etc
