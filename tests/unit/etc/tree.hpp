// SPDX-License-Identifier: Apache-2.0
/// \file Three small trees to merge, and words for what is in them.
#pragma once

#include "etc/merge.hpp"
#include "support/temp_dir.hpp"

#include <sys/stat.h>

#include <string>
#include <string_view>

namespace cfs::etc::test {

/// A directory to fill. Every call makes or changes one thing and throws if it cannot.
class Tree {
 public:
    Tree& file(const std::string& path, std::string_view content, mode_t mode = 0644);
    Tree& dir(const std::string& path, mode_t mode = 0755);
    Tree& link(const std::string& path, const std::string& target);
    Tree& fifo(const std::string& path);
    Tree& device(const std::string& path, dev_t number);
    Tree& hard_link(const std::string& path, const std::string& existing);
    Tree& mode(const std::string& path, mode_t mode);
    Tree& owner(const std::string& path, uid_t uid, gid_t gid);
    Tree& xattr(const std::string& path, const std::string& name, const std::string& value);
    Tree& no_xattr(const std::string& path, const std::string& name);
    Tree& mtime(const std::string& path, std::int64_t seconds);
    Tree& remove(const std::string& path);

    /// "none", "dir", "file TEXT", "link TARGET", "fifo", "socket", "device".
    [[nodiscard]] std::string at(const std::string& path) const;
    /// Permission bits.
    [[nodiscard]] mode_t mode_of(const std::string& path) const;
    /// "uid:gid"
    [[nodiscard]] std::string owner_of(const std::string& path) const;
    /// Value, or "(none)".
    [[nodiscard]] std::string xattr_of(const std::string& path, const std::string& name) const;
    [[nodiscard]] struct stat stat_of(const std::string& path) const;

    /// Everything but mtime, one line per entry, sorted, the root included.
    [[nodiscard]] std::string listing(bool with_labels = true) const;

    [[nodiscard]] int fd() const { return dir_.fd(); }

    [[nodiscard]] std::string real(const std::string& path) const { return dir_ / path; }

 private:
    cfs::test::TempDir dir_;
};

/// P, C and N.
struct Trees {
    Tree pristine;
    Tree current;
    Tree next;

    template <typename Make>
    Trees& all(Make make) {
        for (Tree* tree : {&pristine, &current, &next})
            make(*tree);
        return *this;
    }

    [[nodiscard]] MergeInput input() const { return {pristine.fd(), current.fd(), next.fd()}; }

    [[nodiscard]] MergePlan plan(const Rules& rules = {}) const {
        return plan_merge(input(), {}, rules);
    }
};

/// Plans, applies, and holds both.
struct Merged {
    explicit Merged(const Trees& trees, const Rules& rules = {});

    /// "kept-local", "kept-local!" when the vendor's change was withheld, "overruled-" when a local
    /// one was dropped, "" for no report.
    [[nodiscard]] std::string change(const std::string& path) const;

    MergePlan plan;
    Tree result;
};

/// The paths of the conflicts, joined with commas.
[[nodiscard]] std::string conflicts(const MergePlan& plan);

}  // namespace cfs::etc::test
