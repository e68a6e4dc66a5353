// SPDX-License-Identifier: Apache-2.0
#include "client/image/dir_scan.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "base/stop.hpp"
#include "client/image/hash_pool.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <unordered_set>

namespace cfs::client {
namespace {

using image::FileType;

std::string shown(const std::string& path) {
    return "'/" + printable(path, image::kMaxPath) + "'";
}

struct Name {
    std::string text;
    unsigned char type = DT_UNKNOWN;
};

/// Sorted bytewise.
std::vector<Name> read_names(const OpenDir& dir) {
    std::vector<Name> out;
    std::vector<char> room(std::size_t{32} * 1024);
    for (;;) {
        const ssize_t n = ::getdents64(dir.fd.get(), room.data(), room.size());
        if (n < 0) throw_errno("listing " + shown(dir.path));
        if (n == 0) break;
        for (ssize_t at = 0; at < n;) {
            const auto* entry = reinterpret_cast<const struct dirent64*>(room.data() + at);
            at += entry->d_reclen;
            const std::string_view name = entry->d_name;
            if (name != "." && name != "..") out.push_back({std::string(name), entry->d_type});
        }
    }
    std::sort(out.begin(), out.end(), [](const Name& a, const Name& b) { return a.text < b.text; });
    return out;
}

/// Every level of the tree keeps a directory open.
void allow_many_files() {
    struct rlimit limit {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

class Walk {
 public:
    Walk(ScanState& state, unsigned threads)
        : state_(state), pool_(threads, [&state]() -> std::function<void(ScanTask&)> {
              return [reader = std::make_shared<FileReader>(state)](ScanTask& task) {
                  reader->read(task);
              };
          }) {}

    void run(UniqueFd root, image::FileTree& tree) {
        auto dir = std::make_shared<OpenDir>();
        dir->fd = std::move(root);
        read_directory(dir, tree.root(), 0);
        pool_.finish();
    }

 private:
    using DirPtr = std::shared_ptr<const OpenDir>;

    void read_directory(const DirPtr& dir, image::Directory& out, std::size_t depth) {
        check(state_.stop);
        if (depth > image::kMaxDepth) {
            throw Error(ErrorCode::Unsupported,
                        shown(dir->path) + " lies too deep, at most " +
                            std::to_string(image::kMaxDepth) + " levels are possible");
        }
        struct stat file {};
        if (::fstat(dir->fd.get(), &file) != 0) throw_errno("reading " + shown(dir->path));
        read_metadata(out.meta, file, state_.options);
        with_context(shown(dir->path),
                     [&] { read_xattrs(out.meta, dir->fd.get(), state_.options); });
        for (Name& name : read_names(*dir))
            read_name(dir, name, out, depth);
    }

    void read_name(const DirPtr& dir, Name& name, image::Directory& out, std::size_t depth) {
        switch (name.type) {
            case DT_DIR:
                read_subdirectory(dir, name.text, out, depth);
                break;
            case DT_REG:
                pool_.add({dir, name.text, put_leaf(out, name.text, FileType::Regular)});
                break;
            default:
                read_other(dir, name, out, depth);
                break;
        }
    }

    static std::shared_ptr<image::Inode> put_leaf(image::Directory& out,
                                                  const std::string& name,
                                                  FileType type) {
        auto leaf = image::make_inode();
        leaf->type = type;
        out.children.try_emplace(name, image::Node(leaf));
        return leaf;
    }

    void read_subdirectory(const DirPtr& dir,
                           const std::string& name,
                           image::Directory& out,
                           std::size_t depth) {
        auto sub = std::make_shared<OpenDir>();
        sub->path = dir->path_of(name);
        sub->fd.reset(
            ::openat(dir->fd.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!sub->fd) throw_errno("opening " + shown(sub->path));
        auto node = std::make_unique<image::Directory>();
        image::Directory& below = *node;
        out.children.try_emplace(name, image::Node(std::move(node)));
        read_directory(sub, below, depth + 1);
    }

    void read_other(const DirPtr& dir, Name& name, image::Directory& out, std::size_t depth) {
        struct stat file {};
        if (::fstatat(dir->fd.get(), name.text.c_str(), &file, AT_SYMLINK_NOFOLLOW) != 0)
            throw_errno("reading " + shown(dir->path_of(name.text)));
        const std::optional<FileType> type = image::file_type_from_mode(file.st_mode);
        if (!type) {
            throw Error(ErrorCode::Unsupported,
                        shown(dir->path_of(name.text)) + " is of an unknown type");
        }
        if (*type == FileType::Directory || *type == FileType::Regular) {
            name.type = *type == FileType::Directory ? DT_DIR : DT_REG;
            read_name(dir, name, out, depth);
            return;
        }
        const bool device = *type == FileType::CharDevice || *type == FileType::BlockDevice;
        if (device && state_.options.skip_devices) return;
        const auto leaf = put_leaf(out, name.text, *type);
        if (!state_.claim(file, leaf)) return;
        fill(*leaf, *dir, name.text, file);
        if (device) leaf->rdev = static_cast<std::uint32_t>(file.st_rdev);
    }

    void fill(image::Inode& leaf,
              const OpenDir& dir,
              const std::string& name,
              const struct stat& file) {
        read_metadata(leaf.meta, file, state_.options);
        with_context(shown(dir.path_of(name)),
                     [&] { read_link_xattrs(leaf.meta, dir, name, state_.options); });
        if (leaf.type != FileType::Symlink) return;
        std::array<char, image::kMaxSymlink + 1> target{};
        const ssize_t n = ::readlinkat(dir.fd.get(), name.c_str(), target.data(), target.size());
        if (n < 0) throw_errno("reading " + shown(dir.path_of(name)));
        leaf.content.assign(target.data(), static_cast<std::size_t>(n));
        leaf.size = leaf.content.size();
    }

    ScanState& state_;
    HashPool pool_;
};

/// Lets all names of one file share its inode. The first one in the tree's order is the file's own.
void join_links(image::Directory& directory,
                const ScanState& state,
                std::unordered_set<const image::Inode*>& seen,
                const std::unordered_set<const image::Inode*>& shared) {
    for (auto& [name, node] : directory.children) {
        if (node.is_directory()) {
            join_links(*node.directory(), state, seen, shared);
            continue;
        }
        std::shared_ptr<image::Inode> inode = state.original(node.leaf().get());
        if (!inode && shared.count(node.leaf().get()) == 0) continue;
        if (!inode) inode = node.leaf();
        const bool first = seen.insert(inode.get()).second;
        node = image::Node(std::move(inode), !first);
    }
}

}  // namespace

ScannedTree scan_directory(const std::string& path,
                           const ScanOptions& options,
                           HashAlgorithm algorithm,
                           bool find_links,
                           const std::stop_token& stop) {
    allow_many_files();
    UniqueFd root = open_root(path);
    ScanState state(options, algorithm, find_links, stop);
    ScannedTree out;
    const unsigned threads =
        options.threads.value_or(std::max(1U, std::thread::hardware_concurrency()));
    Walk(state, threads).run(std::move(root), out.tree);
    if (state.has_links()) {
        std::unordered_set<const image::Inode*> seen;
        join_links(out.tree.root(), state, seen, state.originals());
    }
    if (state.store) state.store->sync();
    out.read = [kept = state.take_kept()](const image::Inode& inode) {
        if (!inode.external) return inode.content;
        const auto found = kept.find(*inode.external);
        if (found != kept.end()) return found->second;
        throw Error(ErrorCode::BadFormat,
                    "the file with digest " + inode.external->hex() +
                        " is needed and lies outside /etc/selinux, or is larger than 16 MiB");
    };
    return out;
}

}  // namespace cfs::client
