// SPDX-License-Identifier: Apache-2.0
#include "etc/merge.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "etc/node.hpp"
#include "etc/planner.hpp"
#include "etc/result.hpp"

#include <algorithm>
#include <set>

namespace cfs::etc {
namespace {

constexpr std::size_t kNamedConflicts = 5;

void count(const ResultEntry& entry, MergePlan& plan) {
    ++plan.result_entries;
    if (entry.type == NodeType::File && entry.link_to.empty()) plan.result_bytes += entry.size;
    for (const ResultEntry& child : entry.children)
        count(child, plan);
}

std::string describe(const Conflict& conflict) {
    return "/etc/" + printable(conflict.path, 400) + ": " + conflict.what;
}

std::string describe_all(const std::vector<Conflict>& conflicts) {
    std::string out;
    for (const Conflict& conflict : conflicts) {
        out += describe(conflict) + "\n    " + conflict.hint + "\n";
    }
    return out;
}

NodePtr open_tree_root(int directory) {
    NodePtr root = Node::find(directory, ".", ".");
    if (!root || root->type() == NodeType::Directory) return root;
    throw Error(ErrorCode::InvalidArgs, "/etc to merge is not a directory");
}

}  // namespace

std::string_view to_string(ChangeKind kind) {
    switch (kind) {
        case ChangeKind::KeptLocal:
            return "kept-local";
        case ChangeKind::VendorUpdate:
            return "vendor-update";
        case ChangeKind::AddedLocal:
            return "added-local";
        case ChangeKind::DeletedLocal:
            return "deleted-local";
        case ChangeKind::RemovedByVendor:
            return "removed-by-vendor";
        case ChangeKind::MetadataLocal:
            return "metadata-local";
        case ChangeKind::Merged:
            return "merged";
        case ChangeKind::Ignored:
            return "ignored";
        case ChangeKind::Overruled:
            return "overruled";
        case ChangeKind::VendorBeside:
            return "vendor-beside";
    }
    return "unknown";
}

std::string_view to_string(ConflictKind kind) {
    return kind == ConflictKind::Id ? "id" : "shape";
}

MergePlan plan_merge(const MergeInput& input, const std::stop_token& stop, const Rules& rules) {
    const NodePtr current = open_tree_root(input.current);
    if (!current) {
        throw Error(ErrorCode::NotFound,
                    "the machine has no /etc to merge",
                    "without one there is nothing to keep: use the new image's /etc");
    }
    auto tree = std::make_shared<ResultTree>();
    // Before anything is read: what changes from here on is noticed by apply_merge().
    tree->current = take_snapshot(input.current, stop);
    const NodePtr pristine = open_tree_root(input.pristine);
    const NodePtr next = open_tree_root(input.next);
    MergePlan plan;
    tree->root = Planner(plan, stop, rules).merge_root({pristine.get(), current.get(), next.get()});
    for (const ResultEntry& child : tree->root.children)
        count(child, plan);
    plan.result = std::move(tree);
    return plan;
}

void require_no_conflicts(const MergePlan& plan) {
    if (plan.conflicts.empty()) return;
    const std::size_t total = plan.conflicts.size();
    std::string message = "/etc cannot be merged without a decision: ";
    for (std::size_t i = 0; i < std::min(total, kNamedConflicts); ++i) {
        message += (i == 0 ? "" : "; ") + describe(plan.conflicts[i]);
    }
    if (total > kNamedConflicts) {
        message += "; and " + std::to_string(total - kNamedConflicts) + " more";
    }
    Error error(ErrorCode::MergeConflict, std::move(message), plan.conflicts.front().hint);
    error.set_details(describe_all(plan.conflicts));
    throw error;
}

}  // namespace cfs::etc
