// SPDX-License-Identifier: Apache-2.0
// A directory on one side and something else on the other.
#include "etc/compare.hpp"
#include "etc/planner.hpp"

#include <algorithm>

namespace cfs::etc {
namespace {

constexpr std::size_t kNamedDifferences = 3;

/// "'a', 'b', 'c' and more"
std::string name_some(const std::vector<std::string>& paths) {
    std::string out;
    for (std::size_t i = 0; i < std::min(paths.size(), kNamedDifferences); ++i) {
        out += (i == 0 ? "'" : ", '") + printable(paths[i], 200) + "'";
    }
    return paths.size() > kNamedDifferences ? out + " and more" : out;
}

}  // namespace

Planner::Result Planner::directory_against_leaf(const Triple& at, Policy policy, int depth) {
    if (is_leaf(at.pristine)) {
        const bool withheld = !same_tree(at.pristine, at.next);
        return keep_local(at, "was " + words(*at.pristine), withheld, policy, depth);
    }
    if (at.pristine == nullptr) {
        return decide_shape(
            at,
            policy,
            "a directory made here, and the new image has " + words(*at.next) + " of that name",
            depth);
    }
    const auto local = differences(at.pristine, at.current, true, kNamedDifferences + 1, stop_);
    if (local.empty()) {
        Result taken = take_vendor(at, "was a directory", depth);
        report_specials(at);
        return taken;
    }
    return decide_shape(
        at,
        policy,
        "the new image has " + words(*at.next) +
            " in place of the directory, in which something is changed here: " + name_some(local),
        depth);
}

void Planner::report_specials(const Triple& at) {
    for (const std::string& name : at.current->names()) {
        const NodePtr pristine = find_child(at.pristine, name);
        const NodePtr current = find_child(at.current, name);
        if (!current) continue;
        const Triple below{pristine.get(), current.get(), nullptr};
        if (is_local_special(below)) (void)without_special(below, Policy::Default, 0);
        if (is_directory(current.get())) report_specials(below);
    }
}

Planner::Result Planner::leaf_against_directory(const Triple& at, Policy policy, int depth) {
    if (is_directory(at.pristine)) {
        const bool withheld = !same_tree(at.pristine, at.next);
        return keep_local(at, "was a directory", withheld, policy, depth);
    }
    if (untouched_leaf(at)) return take_vendor(at, "was " + words(*at.current), depth);
    const std::string made = at.pristine == nullptr ? " made here" : " changed here";
    return decide_shape(
        at,
        policy,
        words(*at.current) + made + ", and the new image has a directory of that name",
        depth);
}

bool Planner::has_local_content(const Triple& at) const {
    if (is_local_special(at)) return false;
    if (at.pristine == nullptr || !same_content(*at.pristine, *at.current, stop_)) return true;
    if (!is_directory(at.current)) return false;
    for (const std::string& name : at.current->names()) {
        const NodePtr pristine = find_child(at.pristine, name);
        const NodePtr current = find_child(at.current, name);
        if (current && has_local_content({pristine.get(), current.get(), nullptr})) return true;
    }
    return false;
}

Planner::Result Planner::local_stays(const Triple& at, std::string detail, int depth) {
    if (is_directory(at.current) && at.pristine != nullptr) {
        // Of a directory that the vendor gave up only what is local stays.
        return directory_without_vendor({at.pristine, at.current, nullptr}, Policy::Keep, depth);
    }
    return adopt(
        *at.current,
        {Side::Current, ChangeKind::KeptLocal, ChangeKind::AddedLocal, std::move(detail), true},
        depth);
}

Planner::Result Planner::vendor_instead(const Triple& at, const std::string& what, int depth) {
    const auto place = plan_.changes.size();
    Result taken = take_vendor(at, what, depth);
    plan_.changes[place].local_dropped = true;
    if (is_directory(at.current)) report_specials(at);
    return taken;
}

void Planner::shape_conflict(const Triple& at, const std::string& what, std::string resolution) {
    plan_.conflicts.push_back({at.current->path(),
                               ConflictKind::Shape,
                               what,
                               std::move(resolution),
                               "move, remove or undo what is local at /etc/" +
                                   printable(at.current->path(), 400) +
                                   ", or decide it with a rule (etc.rules)"});
}

Planner::Result Planner::decide_shape(const Triple& at,
                                      Policy policy,
                                      const std::string& what,
                                      int depth) {
    if (policy == Policy::Take) return overrule(at, what, depth);
    const bool conflict = policy == Policy::Default;
    if (conflict && !has_local_content(at)) {
        // A mode for a file means nothing for a directory, and what was deleted stays away.
        shape_conflict(at, what, "the vendor's is taken: of the local one no content is lost");
        return vendor_instead(at, what, depth);
    }
    std::string resolution = "the local one stays";
    if (policy != Policy::Keep) resolution += put_beside(at);
    if (conflict) shape_conflict(at, what, resolution);
    const auto place = static_cast<std::ptrdiff_t>(plan_.changes.size());
    Result stays = local_stays(at, what + "; " + resolution, depth);
    if (stays) return stays;
    // Nothing was local but a deletion.
    plan_.changes.erase(plan_.changes.begin() + place, plan_.changes.end());
    siblings_->wanted = false;
    return vendor_instead(at, what, depth);
}

}  // namespace cfs::etc
