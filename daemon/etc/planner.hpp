// SPDX-License-Identifier: Apache-2.0
/// \file The walk over the three trees. Private to the component.
#pragma once

#include "etc/accounts.hpp"
#include "etc/merge.hpp"
#include "etc/node.hpp"
#include "etc/parts.hpp"
#include "etc/result.hpp"
#include "etc/rules.hpp"

#include <sys/types.h>

#include <map>
#include <optional>
#include <set>
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
    Planner(MergePlan& plan, const std::stop_token& stop, const Rules& rules)
        : plan_(plan), stop_(stop), rules_(rules) {}

    [[nodiscard]] ResultEntry merge_root(const Triple& root);

 private:
    using Result = std::optional<ResultEntry>;

    /// Reads the account files, of which each is decided with its other half.
    void merge_account_lines(const Triple& root);
    [[nodiscard]] const AccountFile* account_lines(const std::string& path, Policy policy);
    [[nodiscard]] Policy policy_of(const std::string& path) const;

    [[nodiscard]] Result merge(const Triple& at, int depth);
    [[nodiscard]] Result merge_by_default(const Triple& at, Policy policy, int depth);
    [[nodiscard]] Result without_special(const Triple& at, Policy policy, int depth);
    [[nodiscard]] Result without_local(const Triple& at, Policy policy, int depth);
    [[nodiscard]] Result directory_in_current(const Triple& at, Policy policy, int depth);
    [[nodiscard]] Result leaf_alone(const Triple& at, Policy policy);
    [[nodiscard]] Result leaves(const Triple& at, Policy policy, int depth);
    [[nodiscard]] Result leaves_of_one_type(const Triple& at, Policy policy);
    [[nodiscard]] Result both_directories(const Triple& at, Policy policy, int depth);
    [[nodiscard]] Result directory_without_vendor(const Triple& at, Policy policy, int depth);
    void merge_children(const Triple& at, int depth, ResultEntry& into);

    // A directory on one side and something else on the other: planner_clash.cpp.
    [[nodiscard]] Result directory_against_leaf(const Triple& at, Policy policy, int depth);
    [[nodiscard]] Result leaf_against_directory(const Triple& at, Policy policy, int depth);
    /// Something else than a deletion, a mode, an owner or an attribute.
    [[nodiscard]] bool has_local_content(const Triple& at) const;
    [[nodiscard]] Result local_stays(const Triple& at, std::string detail, int depth);
    [[nodiscard]] Result vendor_instead(const Triple& at, const std::string& what, int depth);
    void shape_conflict(const Triple& at, const std::string& what, std::string resolution);
    /// Special files made here in a directory that goes.
    void report_specials(const Triple& at);
    /// What one side has and the other cannot have at the same time; by rule, or a conflict.
    [[nodiscard]] Result decide_shape(const Triple& at,
                                      Policy policy,
                                      const std::string& what,
                                      int depth);

    // What rules make of a path: planner_rules.cpp.
    [[nodiscard]] Result ignored(const Triple& at, int depth);
    [[nodiscard]] Result restored(const Triple& at, int depth);
    /// The vendor's, or nothing, in place of what is local.
    [[nodiscard]] Result overrule(const Triple& at, std::string detail, int depth);
    /// Has the vendor's entry written beside as NAME.new. \returns what to say about it
    [[nodiscard]] std::string put_beside(const Triple& at);
    void flush_beside(const Triple& at, int depth);

    /// How a whole tree of one side is reported: its top, and what is below it.
    struct Adoption {
        Side side = Side::Next;
        std::optional<ChangeKind> top;
        std::optional<ChangeKind> below;
        std::string detail;  ///< of the top; what it is, if empty
        bool withheld = false;
    };

    [[nodiscard]] Result adopt(Node& node, const Adoption& how, int depth);
    [[nodiscard]] Result adopt_child(Node& child, const Adoption& how, int depth);
    [[nodiscard]] Result take_vendor(const Triple& at, std::string detail, int depth);
    /// \param withheld the vendor's differs from what the old image had
    [[nodiscard]] Result keep_local(
        const Triple& at, std::string detail, bool withheld, Policy policy, int depth);

    /// Links a leaf of R where it may be a hard link.
    ResultEntry finish_leaf(Node& current, ResultEntry entry);

    [[nodiscard]] bool same_small_file(Node* one, Node* other) const;
    [[nodiscard]] bool same_tree(Node* one, Node* other) const;
    [[nodiscard]] bool untouched_leaf(const Triple& at) const;
    [[nodiscard]] bool is_local_special(const Triple& at) const;
    void report(const Node& at, ChangeKind kind, std::string detail, bool withheld = false);

    /// The directory whose names are being decided.
    struct Siblings {
        const Triple& directory;
        std::vector<ResultEntry> beside;  ///< entries NAME.new
        std::set<std::string> replaced;   ///< names in C that such an entry takes
        bool wanted = false;              ///< put_beside() was called for the name at hand
    };

    MergePlan& plan_;
    const std::stop_token& stop_;
    const Rules& rules_;
    LinkTable links_;
    AccountMerge accounts_;
    Siblings* siblings_ = nullptr;
};

[[nodiscard]] inline bool is_directory(const Node* node) {
    return node != nullptr && node->type() == NodeType::Directory;
}

[[nodiscard]] inline bool is_leaf(const Node* node) {
    return node != nullptr && node->type() != NodeType::Directory;
}

[[nodiscard]] inline bool same_file_type(const Node& one, const Node& other) {
    return (one.stat().st_mode & S_IFMT) == (other.stat().st_mode & S_IFMT);
}

/// "a file", "a directory", ...
[[nodiscard]] inline std::string words(const Node& node) {
    return std::string(to_words(node.type()));
}

}  // namespace cfs::etc
