// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace cfs {
namespace {

constexpr int kMaxDepth = 1024;

void remove_children(int dir, int depth);

void remove_entry(int dir, const std::string& name, int depth) {
    if (::unlinkat(dir, name.c_str(), 0) == 0 || errno == ENOENT) return;
    if (errno != EISDIR && errno != EPERM) throw_errno("removing '" + printable(name, 255) + "'");
    {
        const auto child = find_at(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (!child) return;
        remove_children(child->get(), depth + 1);
    }
    if (::unlinkat(dir, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
        throw_errno("removing the directory '" + printable(name, 255) + "'");
    }
}

void remove_children(int dir, int depth) {
    if (depth > kMaxDepth)
        throw Error(ErrorCode::BadFormat, "directories nested too deeply to remove");
    for (const std::string& name : list_dir(dir))
        remove_entry(dir, name, depth);
}

}  // namespace

std::vector<std::string> list_dir(int dir) {
    // A fresh open: the position of a directory stream is shared between duplicates.
    UniqueFd fd(::openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) throw_errno("listing a directory");
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd.get()), ::closedir);
    if (!stream) throw_errno("listing a directory");
    (void)fd.release();
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
        errno = 0;
    }
    if (errno != 0) throw_errno("listing a directory");
    std::sort(names.begin(), names.end());
    return names;
}

void remove_tree_at(int dir, const std::string& path) {
    const auto names = split_parent(path);
    const auto parent_fd = find_at(dir, names.first, O_RDONLY | O_DIRECTORY);
    if (!parent_fd) return;
    with_context("removing '" + printable(path, 400) + "'",
                 [&] { remove_entry(parent_fd->get(), names.second, 0); });
}

}  // namespace cfs
