// SPDX-License-Identifier: Apache-2.0
/// \file Three trees made from arbitrary bytes, and the promises that a merge of any trees keeps.
#pragma once

#include "base/bytes.hpp"
#include "unit/etc/tree.hpp"

#include <map>
#include <string>

namespace cfs::etc::test {

/// Carries out the bytes as steps (make, change, remove, on one or more of the trees). Steps that
/// make no sense at their place do nothing. Links point to `canary` among others.
void grow(Trees& trees, ByteView steps, const std::string& canary);

struct FlatEntry {
    char type = '?';          ///< f, d, l or s
    std::string content;      ///< or link target, or what kind of special file
    std::string permissions;  ///< mode and owner
    std::string attributes;   ///< one character for each of two, '-' for none

    bool operator==(const FlatEntry&) const = default;
};

/// Every path but the root and `.updated`.
using Flat = std::map<std::string, FlatEntry>;

[[nodiscard]] Flat flatten(const Tree& tree);

/// Merges the trees in the three ways whose result is known, and as they are; returns the first
/// promise that was broken, in words, or "".
[[nodiscard]] std::string broken_promise(const Trees& trees);

}  // namespace cfs::etc::test
