// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "base/stop.hpp"
#include "etc/merge.hpp"
#include "etc/node.hpp"
#include "etc/result.hpp"

#include <climits>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace cfs::etc {
namespace {

constexpr std::size_t kBlock = std::size_t{64} * 1024;

[[noreturn]] void throw_moved(const std::string& path) {
    throw Error(ErrorCode::Busy,
                "'" + printable(path, 400) + "' is not what it was when the merge was planned",
                "merge again");
}

std::array<timespec, 2> times(const ResultEntry& entry) {
    return {entry.mtime, entry.mtime};
}

int fd_of(const NodePtr& node) {
    return node ? node->fd() : -1;
}

/// The directories of one path; -1 where a side has none.
struct Place {
    int out;
    int current;
    int next;
    std::string path;
};

class Writer {
 public:
    Writer(int out, const std::stop_token& stop) : root_(out), stop_(stop), buffer_(kBlock) {}

    void write_children(const Place& at, const ResultEntry& directory) {
        for (const ResultEntry& child : directory.children) {
            check(stop_);
            write(at, child);
        }
    }

    /// Owner before mode before attributes: each would take away what the one before it set.
    static void set_metadata(int fd, const ResultEntry& entry) {
        if (::fchown(fd, entry.uid, entry.gid) != 0) throw_errno("setting the owner");
        if (::fchmod(fd, entry.mode & 07777) != 0) throw_errno("setting the mode");
        write_xattrs(fd, entry.xattrs);
        if (::futimens(fd, times(entry).data()) != 0) throw_errno("setting the time");
    }

 private:
    void write(const Place& at, const ResultEntry& entry) {
        const std::string path = join_path(at.path, entry.name);
        switch (entry.type) {
            case NodeType::Directory:
                write_directory(at, entry, path);
                return;
            case NodeType::File:
                with_context(path, [&] { write_file(at, entry, path); });
                return;
            case NodeType::Link:
                with_context(path, [&] { write_link(at.out, entry); });
                return;
            case NodeType::Special:
                with_context(path, [&] { write_special(at.out, entry); });
                return;
        }
    }

    void write_directory(const Place& at, const ResultEntry& entry, const std::string& path) {
        UniqueFd made;
        NodePtr current;
        NodePtr next;
        with_context(path, [&] {
            if (::mkdirat(at.out, entry.name.c_str(), 0700) != 0) throw_errno("creating");
            made = open_dir_at(at.out, entry.name);
            if (entry.in_current) current = open_source(at.current, entry, path);
            if (entry.in_next) next = open_source(at.next, entry, path);
        });
        write_children({made.get(), fd_of(current), fd_of(next), path}, entry);
        with_context(path, [&] { set_metadata(made.get(), entry); });
    }

    void write_file(const Place& at, const ResultEntry& entry, const std::string& path) {
        if (!entry.link_to.empty() && make_hard_link(at.out, entry)) return;
        const UniqueFd out = open_at(at.out, entry.name, O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (entry.synthetic) {
            write_all(out.get(), as_bytes(entry.text));
        } else {
            const int from = entry.content == Side::Current ? at.current : at.next;
            copy(open_source(from, entry, path)->fd(), out.get());
        }
        set_metadata(out.get(), entry);
    }

    /// False where the file system cannot: then the name becomes a file of its own.
    bool make_hard_link(int out, const ResultEntry& entry) {
        const auto [parent, name] = split_parent(entry.link_to);
        if (entry.link_to.size() >= PATH_MAX) return false;
        const UniqueFd from = open_at(root_, parent, O_PATH | O_DIRECTORY);
        if (::linkat(from.get(), name.c_str(), out, entry.name.c_str(), 0) == 0) return true;
        if (errno == EMLINK || errno == EPERM || errno == EOPNOTSUPP) return false;
        throw_errno("linking to '" + printable(entry.link_to, 400) + "'");
    }

    static void write_link(int out, const ResultEntry& entry) {
        const char* name = entry.name.c_str();
        if (::symlinkat(entry.target.c_str(), out, name) != 0) throw_errno("creating");
        if (::fchownat(out, name, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0) {
            throw_errno("setting the owner");
        }
        set_rest_by_name(out, entry);
    }

    static void write_special(int out, const ResultEntry& entry) {
        const char* name = entry.name.c_str();
        const mode_t type = entry.mode & S_IFMT;
        if (::mknodat(out, name, type | 0600, entry.device) != 0) throw_errno("creating");
        if (::fchownat(out, name, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0) {
            throw_errno("setting the owner");
        }
        if (::fchmodat(out, name, entry.mode & 07777, AT_SYMLINK_NOFOLLOW) != 0) {
            throw_errno("setting the mode");
        }
        set_rest_by_name(out, entry);
    }

    static void set_rest_by_name(int out, const ResultEntry& entry) {
        write_xattrs_at(out, entry.name, entry.xattrs);
        const auto when = times(entry);
        if (::utimensat(out, entry.name.c_str(), when.data(), AT_SYMLINK_NOFOLLOW) != 0) {
            throw_errno("setting the time");
        }
    }

    /// What the plan saw under that name. The descriptor lives as long as the node.
    static NodePtr open_source(int dir, const ResultEntry& entry, const std::string& path) {
        NodePtr found = Node::find(dir, entry.source.empty() ? entry.name : entry.source, path);
        if (!found || found->type() != entry.type) throw_moved(path);
        (void)found->fd();
        return found;
    }

    void copy(int from, int to) {
        for (;;) {
            const std::size_t n = read_some(from, buffer_);
            if (n == 0) return;
            write_all(to, ByteView(buffer_).first(n));
            check(stop_);
        }
    }

    int root_;
    const std::stop_token& stop_;
    Bytes buffer_;
};

}  // namespace

void apply_merge(const MergePlan& plan,
                 const MergeInput& input,
                 int out,
                 const std::stop_token& stop) {
    if (!plan.result) throw Error(ErrorCode::Internal, "the plan of the /etc merge is empty");
    if (!list_dir(out).empty()) {
        throw Error(ErrorCode::InvalidArgs, "the directory for the merged /etc is not empty");
    }
    const ResultEntry& root = plan.result->root;
    // Inherited access lists would be handed on to everything made below.
    remove_other_xattrs(out, root.xattrs);
    Writer(out, stop).write_children({out, input.current, input.next, "."}, root);
    with_context("/etc itself", [&] { Writer::set_metadata(out, root); });
    require_unchanged(plan.result->current, input.current, stop);
}

}  // namespace cfs::etc
