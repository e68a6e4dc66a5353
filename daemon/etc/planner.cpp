// SPDX-License-Identifier: Apache-2.0
#include "etc/planner.hpp"

#include "base/error.hpp"
#include "base/stop.hpp"
#include "etc/compare.hpp"

#include <algorithm>
#include <utility>

namespace cfs::etc {
namespace {

constexpr std::string_view kUpdatedStamp = ".updated";

void require_depth(const Node& directory, int depth) {
    if (depth < kMaxDepth) return;
    throw Error(ErrorCode::BadFormat,
                "'/etc/" + printable(directory.path(), 400) + "' is nested more than " +
                    std::to_string(kMaxDepth) + " directories deep",
                "move it to another place");
}

/// Of a regular file small enough to be an account file that people wrote.
std::optional<std::string> text_of(Node* node) {
    if (node == nullptr || node->type() != NodeType::File) return std::nullopt;
    const Bytes* bytes = node->small_content();
    if (bytes == nullptr) return std::nullopt;
    return std::string(as_text(*bytes));
}

bool same_metadata(const ResultEntry& one, const ResultEntry& other) {
    return one.mode == other.mode && one.uid == other.uid && one.gid == other.gid &&
           one.xattrs == other.xattrs;
}

}  // namespace

void LinkTable::place(const Node& current, const std::string& path, ResultEntry& entry) {
    const struct stat& st = current.stat();
    const bool may_link = entry.type == NodeType::File && entry.content == Side::Current;
    if (!may_link || entry.synthetic || st.st_nlink < 2) return;
    std::vector<Placed>& earlier = placed_[{st.st_dev, st.st_ino}];
    const auto found = std::find_if(earlier.begin(), earlier.end(), [&](const Placed& placed) {
        return same_metadata(placed.entry, entry);
    });
    if (found == earlier.end()) {
        earlier.push_back({path, entry});
    } else {
        entry.link_to = found->path;
    }
}

ResultEntry Planner::merge_root(const Triple& root) {
    merge_account_lines(root);
    if (root.next != nullptr) return *both_directories(root, Policy::Default, 0);
    ResultEntry entry = whole_entry(*root.current, Side::Current);
    merge_children(root, 0, entry);
    return entry;
}

void Planner::merge_account_lines(const Triple& root) {
    std::map<std::string, AccountTexts> texts;
    for (const std::string& name : account_files()) {
        const NodePtr pristine = find_child(root.pristine, name);
        const NodePtr current = find_child(root.current, name);
        const NodePtr next = find_child(root.next, name);
        const auto before = pristine ? text_of(pristine.get()) : std::string();
        const auto ours = text_of(current.get());
        const auto theirs = text_of(next.get());
        if (before && ours && theirs) texts[name] = {*before, *ours, *theirs};
    }
    accounts_ = merge_accounts(texts);
}

const AccountFile* Planner::account_lines(const std::string& path, Policy policy) {
    if (policy == Policy::Ignore || policy == Policy::Restore) return nullptr;
    const auto found = accounts_.files.find(path);
    if (found == accounts_.files.end()) return nullptr;
    for (const Conflict& conflict : accounts_.conflicts) {
        if (conflict.path == path) plan_.conflicts.push_back(conflict);
    }
    return &found->second;
}

/// Half of an account is never decided apart from the other half.
Policy Planner::policy_of(const std::string& path) const {
    const std::string account = account_main_file(path);
    const Policy policy = rules_.find(account.empty() ? path : account);
    const bool whole = policy == Policy::Ignore || policy == Policy::Restore;
    return account.empty() || whole ? policy : Policy::Default;
}

void Planner::merge_children(const Triple& at, int depth, ResultEntry& into) {
    require_depth(*at.current, depth);
    const bool is_root = at.current->path() == ".";
    Siblings own{at, {}, {}};
    Siblings* const outer = std::exchange(siblings_, &own);
    for (const std::string& name : union_of_names(at.pristine, at.current, at.next)) {
        if (is_root && name == kUpdatedStamp) continue;
        if (own.replaced.contains(name)) continue;
        const NodePtr current = find_child(at.current, name);
        const NodePtr next = find_child(at.next, name);
        // Most files are the same on both sides: what was before has no say then.
        const bool settled = !is_root && same_small_file(current.get(), next.get());
        const NodePtr pristine = settled ? nullptr : find_child(at.pristine, name);
        const Triple child{pristine.get(), current.get(), next.get()};
        Result merged = merge(child, depth + 1);
        if (merged) into.children.push_back(std::move(*merged));
        if (own.wanted) flush_beside(child, depth + 1);
    }
    siblings_ = outer;
    std::move(own.beside.begin(), own.beside.end(), std::back_inserter(into.children));
}

Planner::Result Planner::merge(const Triple& at, int depth) {
    check(stop_);
    const Node* const any = at.current != nullptr ? at.current
                            : at.next != nullptr  ? at.next
                                                  : at.pristine;
    if (any == nullptr) return std::nullopt;
    const Policy policy = policy_of(any->path());
    if (at.current != nullptr && is_local_special(at)) return without_special(at, policy, depth);
    if (policy == Policy::Ignore) return ignored(at, depth);
    if (policy == Policy::Restore) return restored(at, depth);
    return merge_by_default(at, policy, depth);
}

Planner::Result Planner::merge_by_default(const Triple& at, Policy policy, int depth) {
    if (at.current == nullptr) return without_local(at, policy, depth);
    if (is_directory(at.current)) return directory_in_current(at, policy, depth);
    if (at.next == nullptr) return leaf_alone(at, policy);
    return is_directory(at.next) ? leaf_against_directory(at, policy, depth)
                                 : leaves(at, policy, depth);
}

Planner::Result Planner::without_local(const Triple& at, Policy policy, int depth) {
    if (at.next == nullptr) return std::nullopt;
    if (at.pristine == nullptr) return take_vendor(at, "new", depth);
    const bool withheld = !same_tree(at.pristine, at.next);
    std::string detail = words(*at.pristine) + (withheld ? "; changed by the vendor since" : "");
    if (withheld && policy == Policy::Take) return overrule(at, "deleted here: " + detail, depth);
    if (withheld && policy == Policy::Both) detail += put_beside(at);
    report(*at.next, ChangeKind::DeletedLocal, std::move(detail), withheld);
    return std::nullopt;
}

Planner::Result Planner::without_special(const Triple& at, Policy policy, int depth) {
    const bool vendors = at.next != nullptr && policy != Policy::Ignore;
    std::string detail = words(*at.current) + " made here is not carried over";
    if (vendors) detail += "; " + words(*at.next) + " of the vendor takes the name";
    report(*at.current, ChangeKind::Ignored, std::move(detail));
    if (!vendors) return std::nullopt;
    return adopt(*at.next, {}, depth);
}

Planner::Result Planner::directory_in_current(const Triple& at, Policy policy, int depth) {
    if (is_directory(at.next)) return both_directories(at, policy, depth);
    if (at.next != nullptr) return directory_against_leaf(at, policy, depth);
    if (is_directory(at.pristine)) return directory_without_vendor(at, policy, depth);
    if (at.pristine == nullptr) {
        return adopt(*at.current,
                     {Side::Current, ChangeKind::AddedLocal, ChangeKind::AddedLocal, {}, false},
                     depth);
    }
    return keep_local(at, "the vendor removed " + words(*at.pristine), true, policy, depth);
}

Planner::Result Planner::both_directories(const Triple& at, Policy policy, int depth) {
    Node* base = is_directory(at.pristine) ? at.pristine : nullptr;
    MergedEntry merged = merge_parts(base, *at.current, *at.next, nullptr, policy, stop_);
    if (!merged.report.nothing()) {
        plan_.changes.push_back(merged.report.to_change(at.current->path()));
    }
    merge_children({base, at.current, at.next}, depth, merged.entry);
    return std::move(merged.entry);
}

Planner::Result Planner::directory_without_vendor(const Triple& at, Policy policy, int depth) {
    const auto place = static_cast<std::ptrdiff_t>(plan_.changes.size());
    ResultEntry entry = whole_entry(*at.current, Side::Current);
    merge_children(at, depth, entry);
    const bool changed = at.pristine == nullptr || !same_entry(*at.pristine, *at.current, stop_);
    const bool dropped = changed && (policy == Policy::Take || policy == Policy::Restore);
    const bool own = changed && !dropped;
    const bool kept = own || !entry.children.empty();
    Change change{at.current->path(), ChangeKind::RemovedByVendor, "a directory", false, false};
    if (kept) {
        change.kind = ChangeKind::KeptLocal;
        change.vendor_withheld = true;
        change.detail = own ? "the vendor removed the directory; its metadata is local"
                            : "the vendor removed the directory; kept for what is in it";
    } else if (dropped) {
        change.kind = ChangeKind::Overruled;
        change.local_dropped = true;
    }
    // Before what is below it, although only that decides.
    plan_.changes.insert(plan_.changes.begin() + place, std::move(change));
    if (!kept) return std::nullopt;
    return entry;
}

Planner::Result Planner::leaf_alone(const Triple& at, Policy policy) {
    if (untouched_leaf(at)) {
        report(*at.current, ChangeKind::RemovedByVendor, words(*at.current));
        return std::nullopt;
    }
    const bool added = at.pristine == nullptr;
    if (!added && policy == Policy::Take) return overrule(at, "the vendor removed it", 0);
    return adopt(*at.current,
                 {Side::Current,
                  added ? ChangeKind::AddedLocal : ChangeKind::KeptLocal,
                  {},
                  added ? "" : "the vendor removed it",
                  !added},
                 0);
}

Planner::Result Planner::leaves(const Triple& at, Policy policy, int depth) {
    if (same_file_type(*at.current, *at.next)) return leaves_of_one_type(at, policy);
    if (untouched_leaf(at)) return take_vendor(at, "was " + words(*at.current), depth);
    const bool withheld = at.pristine == nullptr || !same_tree(at.pristine, at.next);
    const std::string detail =
        words(*at.current) + " here, " + words(*at.next) + " in the new image";
    return keep_local(at, detail, withheld, policy, depth);
}

Planner::Result Planner::leaves_of_one_type(const Triple& at, Policy policy) {
    Node* base = at.pristine;
    if (base != nullptr && !same_file_type(*base, *at.current)) base = nullptr;
    const AccountFile* lines = account_lines(at.current->path(), policy);
    MergedEntry merged = merge_parts(base, *at.current, *at.next, lines, policy, stop_);
    if (!merged.report.nothing()) {
        Change change = merged.report.to_change(at.current->path());
        if (merged.report.content_clashed && policy == Policy::Both)
            change.detail += put_beside(at);
        plan_.changes.push_back(std::move(change));
    }
    return finish_leaf(*at.current, std::move(merged.entry));
}

Planner::Result Planner::adopt(Node& node, const Adoption& how, int depth) {
    check(stop_);
    if (how.top) {
        report(node, *how.top, how.detail.empty() ? words(node) : how.detail, how.withheld);
    }
    ResultEntry entry = whole_entry(node, how.side);
    if (node.type() != NodeType::Directory) return finish_leaf(node, std::move(entry));
    require_depth(node, depth);
    for (const std::string& name : node.names()) {
        const NodePtr child = find_child(&node, name);
        if (!child) continue;
        Result below = adopt_child(*child, how, depth + 1);
        if (below) entry.children.push_back(std::move(*below));
    }
    return entry;
}

Planner::Result Planner::adopt_child(Node& child, const Adoption& how, int depth) {
    const Policy policy = policy_of(child.path());
    if (how.side == Side::Current) {
        const Triple local{nullptr, &child, nullptr};
        if (child.type() == NodeType::Special) return without_special(local, policy, depth);
        if (policy == Policy::Restore) return restored(local, depth);
    } else if (policy == Policy::Ignore) {
        return std::nullopt;
    }
    return adopt(child, {how.side, how.below, how.below, {}, false}, depth);
}

Planner::Result Planner::take_vendor(const Triple& at, std::string detail, int depth) {
    return adopt(
        *at.next,
        {Side::Next, ChangeKind::VendorUpdate, ChangeKind::VendorUpdate, std::move(detail), false},
        depth);
}

Planner::Result Planner::keep_local(
    const Triple& at, std::string detail, bool withheld, Policy policy, int depth) {
    if (withheld && policy == Policy::Take) return overrule(at, std::move(detail), depth);
    if (withheld) detail += "; the vendor's change not taken";
    if (withheld && policy == Policy::Both) detail += put_beside(at);
    return adopt(
        *at.current,
        {Side::Current, ChangeKind::KeptLocal, ChangeKind::AddedLocal, std::move(detail), withheld},
        depth);
}

ResultEntry Planner::finish_leaf(Node& current, ResultEntry entry) {
    links_.place(current, current.path(), entry);
    return entry;
}

bool Planner::same_tree(Node* one, Node* other) const {
    return differences(one, other, false, 1, stop_).empty();
}

bool Planner::same_small_file(Node* one, Node* other) const {
    constexpr off_t kSmall = off_t{64} * 1024;
    if (one == nullptr || other == nullptr || one->type() != NodeType::File) return false;
    if (one->stat().st_size != other->stat().st_size || one->stat().st_size > kSmall) return false;
    return same_entry(*one, *other, stop_);
}

bool Planner::untouched_leaf(const Triple& at) const {
    return is_leaf(at.pristine) && same_entry(*at.pristine, *at.current, stop_);
}

bool Planner::is_local_special(const Triple& at) const {
    if (at.current->type() != NodeType::Special) return false;
    return at.pristine == nullptr || !same_content(*at.pristine, *at.current, stop_);
}

void Planner::report(const Node& at, ChangeKind kind, std::string detail, bool withheld) {
    plan_.changes.push_back({at.path(), kind, std::move(detail), withheld, false});
}

}  // namespace cfs::etc
