// SPDX-License-Identifier: Apache-2.0
// The promises, stated over flat lists of paths and apart from how the merge decides.
#include "base/error.hpp"
#include "unit/etc/random_trees.hpp"

#include <algorithm>
#include <optional>

namespace cfs::etc::test {
namespace {

const FlatEntry* look_up(const Flat& flat, const std::string& path) {
    const auto found = flat.find(path);
    return found == flat.end() ? nullptr : &found->second;
}

bool equal(const FlatEntry* one, const FlatEntry* other) {
    if (one == nullptr || other == nullptr) return one == other;
    return *one == *other;
}

bool same_content(const FlatEntry* one, const FlatEntry* other) {
    return one != nullptr && other != nullptr && one->type == other->type &&
           one->content == other->content;
}

bool is_below(const std::string& path, const std::string& top) {
    return path == top || path.starts_with(top + "/");
}

/// One merge, flattened.
struct Case {
    explicit Case(const Trees& trees, const Rules& rules = {})
        : pristine(flatten(trees.pristine)),
          current(flatten(trees.current)),
          next(flatten(trees.next)),
          plan(trees.plan(rules)) {
        Tree out;
        apply_merge(plan, trees.input(), out.fd());
        result = flatten(out);
    }

    Flat pristine;
    Flat current;
    Flat next;
    MergePlan plan;
    Flat result;

    [[nodiscard]] bool in_conflict(const std::string& path) const {
        return std::any_of(plan.conflicts.begin(), plan.conflicts.end(), [&](const Conflict& one) {
            return is_below(path, one.path);
        });
    }

    /// Is it the vendor's copy of another path?
    [[nodiscard]] const Change* beside(const std::string& path) const {
        const auto found =
            std::find_if(plan.changes.begin(), plan.changes.end(), [&](const Change& one) {
                return one.kind == ChangeKind::VendorBeside && is_below(path, one.path);
            });
        return found == plan.changes.end() ? nullptr : &*found;
    }

    [[nodiscard]] const Change* change_at(const std::string& path) const {
        const auto found = std::find_if(plan.changes.begin(),
                                        plan.changes.end(),
                                        [&](const Change& one) { return one.path == path; });
        return found == plan.changes.end() ? nullptr : &*found;
    }

    [[nodiscard]] bool under_ignored(const std::string& path) const {
        return std::any_of(plan.changes.begin(), plan.changes.end(), [&](const Change& one) {
            return one.kind == ChangeKind::Ignored && is_below(path, one.path);
        });
    }

    /// Is C a directory all the way down to `path`, wherever there is something?
    [[nodiscard]] bool reachable(const std::string& path) const {
        for (auto slash = path.find('/'); slash != std::string::npos;
             slash = path.find('/', slash + 1)) {
            const std::string parent = path.substr(0, slash);
            const FlatEntry* here = look_up(current, parent);
            if (here == nullptr && look_up(pristine, parent) != nullptr) return false;
            if (here != nullptr && here->type != 'd') return false;
        }
        return true;
    }
};

std::string at(const std::string& path, std::string_view what) {
    return "'" + path + "': " + std::string(what);
}

/// What of `mine` that `old` had not is missing from `got`: permissions, or one of the attributes.
std::string lost_metadata(const FlatEntry* old, const FlatEntry& mine, const FlatEntry& got) {
    const bool made = old == nullptr || old->type != mine.type;
    if ((made || old->permissions != mine.permissions) && got.permissions != mine.permissions) {
        return "permissions changed here and lost";
    }
    for (std::size_t i = 0; i < mine.attributes.size(); ++i) {
        const bool changed = made || old->attributes[i] != mine.attributes[i];
        if (changed && got.attributes[i] != mine.attributes[i]) return "attribute lost";
    }
    return "";
}

/// Local content is in R, always; local permissions and attributes too, or the path is in conflict.
std::string lost_local(const Case& c) {
    for (const auto& [path, mine] : c.current) {
        const FlatEntry* old = look_up(c.pristine, path);
        if (equal(old, &mine) || c.under_ignored(path)) continue;
        // A copy of the vendor's that gave way to a newer one.
        if (c.beside(path) != nullptr) continue;
        const FlatEntry* got = look_up(c.result, path);
        if (!same_content(old, &mine) && !same_content(got, &mine)) {
            return at(path, "content changed here and lost");
        }
        if (c.in_conflict(path)) continue;
        if (got == nullptr) return at(path, "changed here and gone");
        const std::string lost = lost_metadata(old, mine, *got);
        if (!lost.empty()) return at(path, lost);
    }
    return "";
}

std::string resurrected(const Case& c) {
    for (const auto& [path, old] : c.pristine) {
        if (look_up(c.current, path) != nullptr || c.in_conflict(path)) continue;
        if (c.under_ignored(path) || c.beside(path) != nullptr) continue;
        if (look_up(c.result, path) != nullptr) return at(path, "deleted here and back again");
    }
    return "";
}

/// Where nothing local is in the way, R has what N has.
std::string lost_vendor(const Case& c) {
    for (const auto& [path, theirs] : c.next) {
        const FlatEntry* old = look_up(c.pristine, path);
        if (!equal(old, look_up(c.current, path))) continue;
        if (!c.reachable(path) || c.in_conflict(path)) continue;
        if (c.beside(path) != nullptr) return at(path, "a copy of another path took its name");
        if (!equal(look_up(c.result, path), &theirs))
            return at(path, "the vendor's change is lost");
    }
    return "";
}

std::string kept_removed(const Case& c) {
    for (const auto& [path, old] : c.pristine) {
        if (look_up(c.next, path) != nullptr || c.in_conflict(path) || old.type == 'd') continue;
        const FlatEntry* mine = look_up(c.current, path);
        if (c.beside(path) != nullptr) continue;
        if (mine != nullptr && *mine == old && look_up(c.result, path) != nullptr) {
            return at(path, "removed by the vendor, untouched here, and still there");
        }
    }
    return "";
}

std::string invented(const Case& c) {
    for (const auto& [path, got] : c.result) {
        if (c.beside(path) != nullptr) continue;
        if (!same_content(&got, look_up(c.current, path)) &&
            !same_content(&got, look_up(c.next, path))) {
            return at(path, "content that neither side has");
        }
    }
    return "";
}

/// A change of both sides of which the vendor's lost is reported as such.
std::string silent(const Case& c) {
    for (const auto& [path, mine] : c.current) {
        const FlatEntry* theirs = look_up(c.next, path);
        const FlatEntry* got = look_up(c.result, path);
        if (theirs == nullptr || got == nullptr || !same_content(got, &mine)) continue;
        if (same_content(theirs, &mine) || same_content(theirs, look_up(c.pristine, path)))
            continue;
        const Change* change = c.change_at(path);
        if (change == nullptr || !change->vendor_withheld) {
            return at(path, "the vendor's change is not in, and nobody says so");
        }
    }
    return "";
}

/// What is written beside a path is all that the vendor has there.
std::string wrong_copy(const Case& c) {
    constexpr std::size_t kSuffix = 4;
    for (const Change& change : c.plan.changes) {
        if (change.kind != ChangeKind::VendorBeside) continue;
        const std::string original = change.path.substr(0, change.path.size() - kSuffix);
        Flat copy;
        Flat theirs;
        for (const auto& [path, entry] : c.result) {
            if (is_below(path, change.path)) copy[path.substr(change.path.size())] = entry;
        }
        for (const auto& [path, entry] : c.next) {
            if (is_below(path, original)) theirs[path.substr(original.size())] = entry;
        }
        if (copy != theirs) return at(change.path, "is not what the vendor has");
    }
    return "";
}

std::string broken_in_general(const Trees& trees) {
    const Case c(trees);
    const MergePlan again = trees.plan();
    if (again.changes != c.plan.changes || again.conflicts != c.plan.conflicts) {
        return "two plans differ";
    }
    if (c.result.size() != c.plan.result_entries) return "the plan counts other entries";
    for (auto* promise :
         {lost_local, resurrected, lost_vendor, kept_removed, invented, silent, wrong_copy}) {
        std::string broken = promise(c);
        if (!broken.empty()) return broken;
    }
    return "";
}

/// merge(P, C, P) must be C without special files made here, merge(P, P, N) must be N.
std::string broken_in_known_case(const MergeInput& input,
                                 const Flat& wanted,
                                 std::string_view name) {
    const MergePlan plan = plan_merge(input);
    if (!plan.conflicts.empty()) return std::string(name) + " has a conflict";
    Tree out;
    apply_merge(plan, input, out.fd());
    const Flat got = flatten(out);
    for (const auto& [path, entry] : wanted) {
        if (!equal(look_up(got, path), &entry)) return std::string(name) + ": " + path + " differs";
    }
    return got.size() == wanted.size() ? "" : std::string(name) + ": too much in it";
}

/// C as it is carried: special files made here give way to what the vendor has.
Flat carried(const Flat& current, const Flat& pristine) {
    Flat out = current;
    for (const auto& [path, entry] : current) {
        if (entry.type != 's') continue;
        const FlatEntry* old = look_up(pristine, path);
        if (same_content(old, &entry)) continue;
        out.erase(path);
        for (const auto& [below, vendors] : pristine) {
            if (is_below(below, path)) out.emplace(below, vendors);
        }
    }
    return out;
}

/// C without special files made here; nothing of the vendor's in their place.
Flat without_specials(const Case& c) {
    Flat out;
    for (const auto& [path, entry] : c.current) {
        if (entry.type != 's' || same_content(look_up(c.pristine, path), &entry)) {
            out.emplace(path, entry);
        }
    }
    return out;
}

/// Rules for everything: what they promise needs no knowledge of the merge.
std::string broken_by_rule(const Trees& trees) {
    if (Case(trees, Rules({"restore *"})).result != flatten(trees.next)) {
        return "'restore' is not what the new image has";
    }
    const Case ignored(trees, Rules({"ignore *"}));
    if (ignored.result != without_specials(ignored)) return "'ignore' is not what is here";
    for (const char* word : {"keep", "take", "both"}) {
        const Case c(trees, Rules({std::string(word) + " *"}));
        std::string broken = c.plan.conflicts.empty() ? wrong_copy(c) : "a conflict";
        if (broken.empty() && *word != 't') broken = lost_local(c);
        if (!broken.empty()) return std::string(word) + ": " + broken;
    }
    return "";
}

}  // namespace

std::string broken_promise(const Trees& trees) {
    const int p = trees.pristine.fd();
    const int c = trees.current.fd();
    const int n = trees.next.fd();
    const Flat pristine = flatten(trees.pristine);
    const Flat current = flatten(trees.current);
    std::string broken =
        broken_in_known_case({p, c, p}, carried(current, pristine), "merge(P,C,P)");
    if (broken.empty()) {
        broken = broken_in_known_case({p, p, n}, flatten(trees.next), "merge(P,P,N)");
    }
    if (broken.empty()) broken = broken_in_general(trees);
    return broken.empty() ? broken_by_rule(trees) : broken;
}

}  // namespace cfs::etc::test
