// SPDX-License-Identifier: Apache-2.0
#include "unit/etc/tree.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <sstream>
#include <vector>

namespace cfs::etc::test {
namespace {

void must(bool worked, const std::string& what) {
    if (!worked) throw_errno("test tree: " + what);
}

std::string type_of(mode_t mode) {
    if (S_ISDIR(mode)) return "dir";
    if (S_ISREG(mode)) return "file";
    if (S_ISLNK(mode)) return "link";
    if (S_ISFIFO(mode)) return "fifo";
    return S_ISSOCK(mode) ? "socket" : "device";
}

std::string xattr_line(const std::string& path, bool with_labels) {
    std::string names(65536, '\0');
    const ssize_t size = ::llistxattr(path.c_str(), names.data(), names.size());
    must(size >= 0, "listing attributes of " + path);
    names.resize(static_cast<std::size_t>(size));
    std::vector<std::string> found;
    for (std::size_t at = 0; at < names.size();) {
        const std::string name = names.c_str() + at;
        at += name.size() + 1;
        if (name == "security.selinux" && !with_labels) continue;
        std::string value(65536, '\0');
        const ssize_t n = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
        must(n >= 0, "reading " + name);
        value.resize(static_cast<std::size_t>(n));
        found.push_back(" " + name + "=" + printable(value, 200));
    }
    std::sort(found.begin(), found.end());
    std::string out;
    for (const std::string& one : found)
        out += one;
    return out;
}

}  // namespace

Tree& Tree::file(const std::string& path, std::string_view content, mode_t mode) {
    dir_.write(path, content, mode);
    return *this;
}

Tree& Tree::dir(const std::string& path, mode_t mode) {
    make_dirs_at(fd(), path, 0755);
    return this->mode(path, mode);
}

Tree& Tree::link(const std::string& path, const std::string& target) {
    const auto [parent, name] = split_parent(path);
    if (parent != ".") make_dirs_at(fd(), parent, 0755);
    must(::symlinkat(target.c_str(), fd(), path.c_str()) == 0, "link " + path);
    return *this;
}

Tree& Tree::fifo(const std::string& path) {
    must(::mkfifoat(fd(), path.c_str(), 0600) == 0, "fifo " + path);
    return *this;
}

Tree& Tree::device(const std::string& path, dev_t number) {
    must(::mknodat(fd(), path.c_str(), S_IFCHR | 0600, number) == 0, "device " + path);
    return *this;
}

Tree& Tree::hard_link(const std::string& path, const std::string& existing) {
    must(::linkat(fd(), existing.c_str(), fd(), path.c_str(), 0) == 0, "hard link " + path);
    return *this;
}

Tree& Tree::mode(const std::string& path, mode_t mode) {
    must(::fchmodat(fd(), path.c_str(), mode, 0) == 0, "mode of " + path);
    return *this;
}

Tree& Tree::owner(const std::string& path, uid_t uid, gid_t gid) {
    must(::fchownat(fd(), path.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) == 0, "owner of " + path);
    return *this;
}

Tree& Tree::xattr(const std::string& path, const std::string& name, const std::string& value) {
    must(::lsetxattr(real(path).c_str(), name.c_str(), value.data(), value.size(), 0) == 0,
         name + " of " + path);
    return *this;
}

Tree& Tree::no_xattr(const std::string& path, const std::string& name) {
    must(::lremovexattr(real(path).c_str(), name.c_str()) == 0, name + " of " + path);
    return *this;
}

Tree& Tree::mtime(const std::string& path, std::int64_t seconds) {
    const std::array<timespec, 2> when{{{seconds, 0}, {seconds, 0}}};
    must(::utimensat(fd(), path.c_str(), when.data(), AT_SYMLINK_NOFOLLOW) == 0, "mtime");
    return *this;
}

Tree& Tree::remove(const std::string& path) {
    must(stat_at(fd(), path).has_value(), "no " + path + " to remove");
    remove_tree_at(fd(), path);
    return *this;
}

std::string Tree::at(const std::string& path) const {
    struct stat st {};
    if (::fstatat(fd(), path.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return "none";
    const std::string type = type_of(st.st_mode);
    if (type == "file") return "file " + dir_.read(path);
    if (type == "link") return "link " + read_link_at(fd(), path).value_or("?");
    return type;
}

struct stat Tree::stat_of(const std::string& path) const {
    struct stat st {};
    must(::fstatat(fd(), path.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0, "stat of " + path);
    return st;
}

mode_t Tree::mode_of(const std::string& path) const {
    return stat_of(path).st_mode & 07777;
}

std::string Tree::owner_of(const std::string& path) const {
    const struct stat st = stat_of(path);
    return std::to_string(st.st_uid) + ":" + std::to_string(st.st_gid);
}

std::string Tree::xattr_of(const std::string& path, const std::string& name) const {
    std::string value(65536, '\0');
    const ssize_t n = ::lgetxattr(real(path).c_str(), name.c_str(), value.data(), value.size());
    if (n < 0) return "(none)";
    value.resize(static_cast<std::size_t>(n));
    return value;
}

std::string Tree::listing(bool with_labels) const {
    std::vector<std::string> paths{"."};
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_.path())) {
        paths.push_back(entry.path().lexically_relative(dir_.path()).native());
    }
    std::sort(paths.begin(), paths.end());
    std::ostringstream out;
    for (const std::string& path : paths) {
        const struct stat st = stat_of(path);
        out << path << ' ' << std::oct << (st.st_mode & 07777) << std::dec << ' ' << owner_of(path)
            << ' ' << at(path) << xattr_line(real(path), with_labels) << '\n';
    }
    return out.str();
}

Merged::Merged(const Trees& trees, const Rules& rules) : plan(trees.plan(rules)) {
    apply_merge(plan, trees.input(), result.fd());
}

std::string Merged::change(const std::string& path) const {
    for (const Change& change : plan.changes) {
        if (change.path != path) continue;
        return std::string(to_string(change.kind)) + (change.vendor_withheld ? "!" : "") +
               (change.local_dropped ? "-" : "");
    }
    return "";
}

std::string conflicts(const MergePlan& plan) {
    std::string out;
    for (const Conflict& conflict : plan.conflicts)
        out += (out.empty() ? "" : ",") + conflict.path;
    return out;
}

}  // namespace cfs::etc::test
