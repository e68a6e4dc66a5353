// SPDX-License-Identifier: Apache-2.0
// What rules make of a path.
#include "etc/compare.hpp"
#include "etc/planner.hpp"

#include <climits>

#include <utility>

namespace cfs::etc {
namespace {

constexpr const char* kBesideSuffix = ".new";

}  // namespace

Planner::Result Planner::ignored(const Triple& at, int depth) {
    if (at.current == nullptr) return std::nullopt;
    if (is_directory(at.current) && is_directory(at.next)) {
        return both_directories(at, Policy::Ignore, depth);
    }
    if (is_directory(at.current)) {
        Node* const base = is_directory(at.pristine) ? at.pristine : nullptr;
        ResultEntry entry = whole_entry(*at.current, Side::Current);
        merge_children({base, at.current, nullptr}, depth, entry);
        return entry;
    }
    if (at.next != nullptr && same_file_type(*at.current, *at.next)) {
        return leaves_of_one_type(at, Policy::Ignore);
    }
    return adopt(*at.current, {Side::Current, {}, {}, {}, false}, depth);
}

Planner::Result Planner::restored(const Triple& at, int depth) {
    if (at.current == nullptr && at.next == nullptr) return std::nullopt;
    if (is_directory(at.current) && is_directory(at.next)) {
        return both_directories(at, Policy::Restore, depth);
    }
    if (at.next == nullptr && is_directory(at.current)) {
        Node* const base = is_directory(at.pristine) ? at.pristine : nullptr;
        return directory_without_vendor({base, at.current, nullptr}, Policy::Restore, depth);
    }
    if (at.current != nullptr && at.next != nullptr && same_file_type(*at.current, *at.next)) {
        return leaves_of_one_type(at, Policy::Restore);
    }
    const bool local = differences(at.pristine, at.current, true, 1, stop_).empty();
    if (!local) return overrule(at, "", depth);
    if (at.next != nullptr) return take_vendor(at, "", depth);
    if (at.current != nullptr) {
        report(*at.current, ChangeKind::RemovedByVendor, words(*at.current));
    }
    return std::nullopt;
}

Planner::Result Planner::overrule(const Triple& at, std::string detail, int depth) {
    const Node& named = at.current != nullptr ? *at.current : *at.next;
    if (detail.empty()) {
        detail = at.current == nullptr ? "deleted here" : words(*at.current) + " here";
    }
    detail += at.next == nullptr ? "; a rule removes it" : "; a rule takes the vendor's";
    plan_.changes.push_back({named.path(), ChangeKind::Overruled, std::move(detail), false, true});
    if (at.next == nullptr) return std::nullopt;
    return adopt(*at.next, {Side::Next, {}, ChangeKind::VendorUpdate, {}, false}, depth);
}

std::string Planner::put_beside(const Triple& at) {
    if (at.next == nullptr || siblings_ == nullptr) return "";
    const std::string name = at.next->name() + kBesideSuffix;
    const std::string in_use = "; '" + printable(name) + "' is in use: the vendor's is left out";
    const Triple& directory = siblings_->directory;
    const NodePtr pristine = find_child(directory.pristine, name);
    const NodePtr current = find_child(directory.current, name);
    const NodePtr next = find_child(directory.next, name);
    if (next || name.size() > NAME_MAX || at.next->type() == NodeType::Special) return in_use;
    if (current) {
        // An earlier merge's copy that nobody touched since gives way to the newer one.
        const bool our_copy =
            !pristine && at.pristine != nullptr && same_tree(at.pristine, current.get());
        if (!our_copy) return in_use;
        siblings_->replaced.insert(name);
    }
    siblings_->wanted = true;
    return "; the vendor's is beside it as '" + printable(name) + "'";
}

void Planner::flush_beside(const Triple& at, int depth) {
    siblings_->wanted = false;
    Result entry = adopt(*at.next, {}, depth);
    if (!entry) return;
    entry->source = entry->name;
    entry->name += kBesideSuffix;
    plan_.changes.push_back({at.next->path() + kBesideSuffix,
                             ChangeKind::VendorBeside,
                             "the vendor's '" + printable(at.next->name()) + "'",
                             false,
                             false});
    siblings_->beside.push_back(std::move(*entry));
}

}  // namespace cfs::etc
