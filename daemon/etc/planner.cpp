// SPDX-License-Identifier: Apache-2.0
#include "etc/planner.hpp"

#include "base/error.hpp"
#include "base/stop.hpp"
#include "etc/compare.hpp"

#include <algorithm>

namespace cfs::etc {
namespace {

constexpr std::string_view kUpdatedStamp = ".updated";
constexpr std::size_t kNamedDifferences = 3;

bool is_directory(const Node* node) {
    return node != nullptr && node->type() == NodeType::Directory;
}

bool is_leaf(const Node* node) {
    return node != nullptr && node->type() != NodeType::Directory;
}

bool same_file_type(const Node& one, const Node& other) {
    return (one.stat().st_mode & S_IFMT) == (other.stat().st_mode & S_IFMT);
}

std::string words(const Node& node) {
    return std::string(to_words(node.type()));
}

/// "'a', 'b', 'c' and more"
std::string name_some(const std::vector<std::string>& paths) {
    std::string out;
    for (std::size_t i = 0; i < std::min(paths.size(), kNamedDifferences); ++i) {
        out += (i == 0 ? "'" : ", '") + printable(paths[i], 200) + "'";
    }
    return paths.size() > kNamedDifferences ? out + " and more" : out;
}

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
    if (root.next != nullptr) return *both_directories(root, 0);
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

const AccountFile* Planner::account_lines(const std::string& path) {
    const auto found = accounts_.files.find(path);
    if (found == accounts_.files.end()) return nullptr;
    for (const Conflict& conflict : accounts_.conflicts) {
        if (conflict.path == path) plan_.conflicts.push_back(conflict);
    }
    return &found->second;
}

void Planner::merge_children(const Triple& at, int depth, ResultEntry& into) {
    require_depth(*at.current, depth);
    const bool is_root = at.current->path() == ".";
    for (const std::string& name : union_of_names(at.pristine, at.current, at.next)) {
        if (is_root && name == kUpdatedStamp) continue;
        const NodePtr pristine = find_child(at.pristine, name);
        const NodePtr current = find_child(at.current, name);
        const NodePtr next = find_child(at.next, name);
        Result child = merge({pristine.get(), current.get(), next.get()}, depth + 1);
        if (child) into.children.push_back(std::move(*child));
    }
}

Planner::Result Planner::merge(const Triple& at, int depth) {
    check(stop_);
    if (at.current == nullptr) return without_local(at, depth);
    if (is_local_special(at)) return without_special(at, depth);
    if (is_directory(at.current)) return directory_in_current(at, depth);
    if (at.next == nullptr) return leaf_alone(at);
    return is_directory(at.next) ? leaf_against_directory(at, depth) : leaves(at);
}

Planner::Result Planner::without_local(const Triple& at, int depth) {
    if (at.next == nullptr) return std::nullopt;
    if (at.pristine == nullptr) return take_vendor(at, "new", depth);
    const bool withheld = !same_tree(at.pristine, at.next);
    report(*at.next,
           ChangeKind::DeletedLocal,
           words(*at.pristine) + (withheld ? "; changed by the vendor since" : ""),
           withheld);
    return std::nullopt;
}

Planner::Result Planner::without_special(const Triple& at, int depth) {
    std::string detail = words(*at.current) + " made here is not carried over";
    if (at.next != nullptr) detail += "; " + words(*at.next) + " of the vendor takes the name";
    report(*at.current, ChangeKind::Ignored, std::move(detail));
    if (at.next == nullptr) return std::nullopt;
    return adopt(*at.next, {}, depth);
}

Planner::Result Planner::directory_in_current(const Triple& at, int depth) {
    if (is_directory(at.next)) return both_directories(at, depth);
    if (at.next != nullptr) return directory_against_leaf(at, depth);
    if (is_directory(at.pristine)) return directory_without_vendor(at, depth);
    if (at.pristine == nullptr) {
        return adopt(*at.current,
                     {Side::Current, ChangeKind::AddedLocal, ChangeKind::AddedLocal, {}, false},
                     depth);
    }
    return keep_local(at, "the vendor removed " + words(*at.pristine), true, depth);
}

Planner::Result Planner::both_directories(const Triple& at, int depth) {
    Node* base = is_directory(at.pristine) ? at.pristine : nullptr;
    MergedEntry merged = merge_parts(base, *at.current, *at.next, nullptr, stop_);
    if (!merged.report.nothing()) {
        plan_.changes.push_back(merged.report.to_change(at.current->path()));
    }
    merge_children({base, at.current, at.next}, depth, merged.entry);
    return std::move(merged.entry);
}

Planner::Result Planner::directory_without_vendor(const Triple& at, int depth) {
    const auto place = static_cast<std::ptrdiff_t>(plan_.changes.size());
    ResultEntry entry = whole_entry(*at.current, Side::Current);
    merge_children(at, depth, entry);
    const bool own = !same_entry(*at.pristine, *at.current, stop_);
    const bool kept = own || !entry.children.empty();
    Change change{at.current->path(), ChangeKind::RemovedByVendor, "a directory", false};
    if (kept) {
        change.kind = ChangeKind::KeptLocal;
        change.vendor_withheld = true;
        change.detail = own ? "the vendor removed the directory; its metadata is local"
                            : "the vendor removed the directory; kept for what is in it";
    }
    // Before what is below it, although only that decides.
    plan_.changes.insert(plan_.changes.begin() + place, std::move(change));
    if (!kept) return std::nullopt;
    return entry;
}

Planner::Result Planner::directory_against_leaf(const Triple& at, int depth) {
    if (is_leaf(at.pristine)) {
        const bool withheld = !same_tree(at.pristine, at.next);
        return keep_local(at, "was " + words(*at.pristine), withheld, depth);
    }
    if (at.pristine == nullptr) {
        conflict(
            *at.current,
            "a directory made here, and the new image has " + words(*at.next) + " of that name");
        return std::nullopt;
    }
    const auto local = differences(at.pristine, at.current, true, kNamedDifferences + 1, stop_);
    if (local.empty()) {
        Result taken = take_vendor(at, "was a directory", depth);
        report_specials(at);
        return taken;
    }
    conflict(
        *at.current,
        "the new image has " + words(*at.next) +
            " in place of the directory, in which something is changed here: " + name_some(local));
    return std::nullopt;
}

void Planner::report_specials(const Triple& at) {
    for (const std::string& name : at.current->names()) {
        const NodePtr pristine = find_child(at.pristine, name);
        const NodePtr current = find_child(at.current, name);
        if (!current) continue;
        const Triple below{pristine.get(), current.get(), nullptr};
        if (is_local_special(below)) (void)without_special(below, 0);
        if (is_directory(current.get())) report_specials(below);
    }
}

Planner::Result Planner::leaf_against_directory(const Triple& at, int depth) {
    if (is_directory(at.pristine)) {
        const bool withheld = !same_tree(at.pristine, at.next);
        return keep_local(at, "was a directory", withheld, depth);
    }
    if (untouched_leaf(at)) return take_vendor(at, "was " + words(*at.current), depth);
    const std::string made = at.pristine == nullptr ? " made here" : " changed here";
    conflict(*at.current,
             words(*at.current) + made + ", and the new image has a directory of that name");
    return std::nullopt;
}

Planner::Result Planner::leaf_alone(const Triple& at) {
    if (untouched_leaf(at)) {
        report(*at.current, ChangeKind::RemovedByVendor, words(*at.current));
        return std::nullopt;
    }
    const bool added = at.pristine == nullptr;
    return adopt(*at.current,
                 {Side::Current,
                  added ? ChangeKind::AddedLocal : ChangeKind::KeptLocal,
                  {},
                  added ? "" : "the vendor removed it",
                  !added},
                 0);
}

Planner::Result Planner::leaves(const Triple& at) {
    if (same_file_type(*at.current, *at.next)) return leaves_of_one_type(at);
    if (untouched_leaf(at)) return take_vendor(at, "was " + words(*at.current), 0);
    const bool withheld = at.pristine == nullptr || !same_tree(at.pristine, at.next);
    return keep_local(
        at, words(*at.current) + " here, " + words(*at.next) + " in the new image", withheld, 0);
}

Planner::Result Planner::leaves_of_one_type(const Triple& at) {
    Node* base = at.pristine;
    if (base != nullptr && !same_file_type(*base, *at.current)) base = nullptr;
    const AccountFile* lines = account_lines(at.current->path());
    MergedEntry merged = merge_parts(base, *at.current, *at.next, lines, stop_);
    if (!merged.report.nothing()) {
        plan_.changes.push_back(merged.report.to_change(at.current->path()));
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
        const bool special = child->type() == NodeType::Special;
        if (special && how.side == Side::Current) {
            (void)without_special({nullptr, child.get(), nullptr}, depth);
            continue;
        }
        Result below = adopt(*child, {how.side, how.below, how.below, {}, false}, depth + 1);
        if (below) entry.children.push_back(std::move(*below));
    }
    return entry;
}

Planner::Result Planner::take_vendor(const Triple& at, std::string detail, int depth) {
    return adopt(
        *at.next,
        {Side::Next, ChangeKind::VendorUpdate, ChangeKind::VendorUpdate, std::move(detail), false},
        depth);
}

Planner::Result Planner::keep_local(const Triple& at,
                                    std::string detail,
                                    bool withheld,
                                    int depth) {
    if (withheld) detail += "; the vendor's change not taken";
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

bool Planner::untouched_leaf(const Triple& at) const {
    return is_leaf(at.pristine) && same_entry(*at.pristine, *at.current, stop_);
}

bool Planner::is_local_special(const Triple& at) const {
    if (at.current->type() != NodeType::Special) return false;
    return at.pristine == nullptr || !same_content(*at.pristine, *at.current, stop_);
}

void Planner::report(const Node& at, ChangeKind kind, std::string detail, bool withheld) {
    plan_.changes.push_back({at.path(), kind, std::move(detail), withheld});
}

void Planner::conflict(const Node& at, std::string what) {
    plan_.conflicts.push_back({at.path(),
                               std::move(what),
                               "move or remove /etc/" + printable(at.path(), 400) +
                                   ", or undo the change there, then stage the update again"});
}

}  // namespace cfs::etc
