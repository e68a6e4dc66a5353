// SPDX-License-Identifier: Apache-2.0
/// \file What a plan says about every path of the merged tree. Values; private to the component.
#pragma once

#include "etc/node.hpp"
#include "etc/snapshot.hpp"

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

namespace cfs::etc {

/// Where the content of an entry comes from.
enum class Side : std::uint8_t { Current, Next };

struct ResultEntry {
    std::string name;
    std::string source;  ///< its name on the side that it comes from; empty: the same
    NodeType type = NodeType::File;
    Side content = Side::Next;
    mode_t mode = 0;  ///< with the type bits
    uid_t uid = 0;
    gid_t gid = 0;
    timespec mtime{};
    Xattrs xattrs;
    std::string target;      ///< of a link
    dev_t device = 0;        ///< of a special file
    std::uint64_t size = 0;  ///< of a file, when it was planned
    std::string link_to;     ///< path of an earlier entry that this is a hard link of
    std::string text;        ///< a file's content that is on neither side, see `synthetic`
    bool synthetic = false;
    bool in_current = false;  ///< a directory of that path is there
    bool in_next = false;
    std::vector<ResultEntry> children;
};

struct ResultTree {
    ResultEntry root;
    Snapshot current;
};

}  // namespace cfs::etc
