// SPDX-License-Identifier: Apache-2.0
/// \file The walk over the three trees. Private to the component.
#pragma once

#include "etc/accounts.hpp"
#include "etc/merge.hpp"
#include "etc/node.hpp"
#include "etc/parts.hpp"
#include "etc/result.hpp"

#include <sys/types.h>

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace cfs::etc {

/// The same path in the three trees; nullptr where there is nothing. Borrowed.
struct Triple {
    Node* pristine = nullptr;
    Node* current = nullptr;
    Node* next = nullptr;
};

/// Finds names that are hard links of one file in C and may stay so.
class LinkTable {
 public:
    /// Makes `entry` a link of an earlier one with equal metadata, or remembers it.
    void place(const Node& current, const std::string& path, ResultEntry& entry);

 private:
    struct Placed {
        std::string path;
        ResultEntry entry;
    };

    std::map<std::pair<dev_t, ino_t>, std::vector<Placed>> placed_;
};

/// Decides every path, adding what it finds to `plan`. One use.
class Planner {
 public:
    Planner(MergePlan& plan, const std::stop_token& stop) : plan_(plan), stop_(stop) {}

    [[nodiscard]] ResultEntry merge_root(const Triple& root);

 private:
    using Result = std::optional<ResultEntry>;

    /// Reads the account files, of which each is decided with its other half.
    void merge_account_lines(const Triple& root);
    [[nodiscard]] const AccountFile* account_lines(const std::string& path);

    [[nodiscard]] Result merge(const Triple& at, int depth);
    [[nodiscard]] Result without_special(const Triple& at, int depth);
    [[nodiscard]] Result without_local(const Triple& at, int depth);
    [[nodiscard]] Result directory_in_current(const Triple& at, int depth);
    [[nodiscard]] Result directory_against_leaf(const Triple& at, int depth);
    /// Special files made here in a directory that goes.
    void report_specials(const Triple& at);
    [[nodiscard]] Result leaf_against_directory(const Triple& at, int depth);
    [[nodiscard]] Result leaf_alone(const Triple& at);
    [[nodiscard]] Result leaves(const Triple& at);
    [[nodiscard]] Result leaves_of_one_type(const Triple& at);

    [[nodiscard]] Result both_directories(const Triple& at, int depth);
    [[nodiscard]] Result directory_without_vendor(const Triple& at, int depth);
    void merge_children(const Triple& at, int depth, ResultEntry& into);

    /// How a whole tree of one side is reported: its top, and what is below it.
    struct Adoption {
        Side side = Side::Next;
        std::optional<ChangeKind> top;
        std::optional<ChangeKind> below;
        std::string detail;  ///< of the top; what it is, if empty
        bool withheld = false;
    };

    [[nodiscard]] Result adopt(Node& node, const Adoption& how, int depth);
    [[nodiscard]] Result take_vendor(const Triple& at, std::string detail, int depth);
    [[nodiscard]] Result keep_local(const Triple& at, std::string detail, bool withheld, int depth);

    /// Links a leaf of R where it may be a hard link.
    ResultEntry finish_leaf(Node& current, ResultEntry entry);

    [[nodiscard]] bool same_tree(Node* one, Node* other) const;
    [[nodiscard]] bool untouched_leaf(const Triple& at) const;
    [[nodiscard]] bool is_local_special(const Triple& at) const;
    void report(const Node& at, ChangeKind kind, std::string detail, bool withheld = false);
    void conflict(const Node& at, std::string what);

    MergePlan& plan_;
    const std::stop_token& stop_;
    LinkTable links_;
    AccountMerge accounts_;
};

}  // namespace cfs::etc
