// SPDX-License-Identifier: Apache-2.0
#include "client/image/scan_entry.hpp"

#include "base/error.hpp"
#include "base/stop.hpp"

#include <fcntl.h>
#include <sys/xattr.h>

#include <cerrno>
#include <string_view>

namespace cfs::client {
namespace {

constexpr std::size_t kBuffer = std::size_t{256} * 1024;
/// SELinux policies are far below this.
constexpr std::uint64_t kKeepUpTo = std::uint64_t{16} << 20;
constexpr std::string_view kPolicies = "etc/selinux/";

[[noreturn]] void changed(const ScanTask& task) {
    throw Error(ErrorCode::Busy,
                "'/" + printable(task.dir->path_of(task.name), image::kMaxPath) +
                    "' changed while it was read",
                "scan a tree that nobody writes to");
}

[[noreturn]] void cannot_read(const ScanTask& task) {
    if (errno == ELOOP || errno == ENXIO || errno == ENOENT) changed(task);
    throw_errno("reading '/" + printable(task.dir->path_of(task.name), image::kMaxPath) + "'");
}

/// Two calls that may grow: first into room for most, then into as much as is asked for.
template <typename Call>
std::string grown(std::string& room, const Call& call, const char* doing) {
    for (;;) {
        const ssize_t n = call(room.data(), room.size());
        if (n >= 0) return room.substr(0, static_cast<std::size_t>(n));
        if (errno == ENOTSUP || errno == ENODATA) return {};
        if (errno != ERANGE) throw_errno(doing);
        room.resize(room.size() * 4);
    }
}

template <typename List, typename Get>
void collect_xattrs(image::Metadata& meta,
                    const ScanOptions& options,
                    const List& list,
                    const Get& get) {
    std::string room(1024, '\0');
    const std::string names = grown(room, list, "listing attributes");
    for (std::size_t at = 0; at < names.size();) {
        const std::string name = names.c_str() + at;
        at += name.size() + 1;
        if (options.user_xattrs && !name.starts_with("user.")) continue;
        const auto get_one = [&](char* value, std::size_t size) {
            return get(name.c_str(), value, size);
        };
        meta.xattrs.insert_or_assign(name, grown(room, get_one, "reading an attribute"));
    }
}

}  // namespace

ScanState::ScanState(const ScanOptions& scan,
                     HashAlgorithm hash,
                     bool find_links,
                     std::stop_token stop_token)
    : options(scan), algorithm(hash), stop(std::move(stop_token)), find_links_(find_links) {
    if (!scan.digest_store.empty()) store.emplace(scan.digest_store, hash);
}

bool ScanState::claim(const struct stat& file, const std::shared_ptr<image::Inode>& inode) {
    // The link count is no reason to skip this: some file systems report it wrongly.
    if (!find_links_) return true;
    const std::lock_guard lock(mutex_);
    const auto [at, first] = files_.try_emplace({file.st_dev, file.st_ino}, inode);
    if (!first) copies_.emplace(inode.get(), at->second);
    return first;
}

std::shared_ptr<image::Inode> ScanState::original(const image::Inode* inode) const {
    const auto found = copies_.find(inode);
    return found == copies_.end() ? nullptr : found->second;
}

std::unordered_set<const image::Inode*> ScanState::originals() const {
    std::unordered_set<const image::Inode*> out;
    for (const auto& [copy, original] : copies_)
        out.insert(original.get());
    return out;
}

void ScanState::keep(const Digest& digest, std::string content) {
    const std::lock_guard lock(mutex_);
    kept_.insert_or_assign(digest, std::move(content));
}

void read_metadata(image::Metadata& meta, const struct stat& file, const ScanOptions& options) {
    meta.mode = file.st_mode & 07777U;
    meta.uid = file.st_uid;
    meta.gid = file.st_gid;
    if (options.use_epoch) return;
    meta.mtime_sec = file.st_mtim.tv_sec;
    meta.mtime_nsec = static_cast<std::uint32_t>(file.st_mtim.tv_nsec);
}

void read_xattrs(image::Metadata& meta, int fd, const ScanOptions& options) {
    if (options.skip_xattrs) return;
    collect_xattrs(
        meta,
        options,
        [fd](char* out, std::size_t size) { return ::flistxattr(fd, out, size); },
        [fd](const char* name, char* out, std::size_t size) {
            return ::fgetxattr(fd, name, out, size);
        });
}

void read_link_xattrs(image::Metadata& meta,
                      const OpenDir& dir,
                      const std::string& name,
                      const ScanOptions& options) {
    if (options.skip_xattrs) return;
    // There is no llistxattrat(); through /proc the name is still resolved in the open directory.
    const std::string path = "/proc/self/fd/" + std::to_string(dir.fd.get()) + "/" + name;
    collect_xattrs(
        meta,
        options,
        [&path](char* out, std::size_t size) { return ::llistxattr(path.c_str(), out, size); },
        [&path](const char* key, char* out, std::size_t size) {
            return ::lgetxattr(path.c_str(), key, out, size);
        });
}

FileReader::FileReader(ScanState& state)
    : state_(state), hasher_(state.algorithm), buffer_(kBuffer) {}

void FileReader::read(ScanTask& task) {
    check(state_.stop);
    // Not blocking: a pipe may have taken the file's name meanwhile.
    const UniqueFd fd(::openat(task.dir->fd.get(),
                               task.name.c_str(),
                               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd) cannot_read(task);
    struct stat file {};
    if (::fstat(fd.get(), &file) != 0) cannot_read(task);
    if (!S_ISREG(file.st_mode)) changed(task);
    if (!state_.claim(file, task.inode)) return;
    read_metadata(task.inode->meta, file, state_.options);
    with_context("'/" + task.dir->path_of(task.name) + "'",
                 [&] { read_xattrs(task.inode->meta, fd.get(), state_.options); });
    task.inode->size = static_cast<std::uint64_t>(file.st_size);
    read_content(task, fd.get());
}

void FileReader::read_content(ScanTask& task, int fd) {
    if (task.inode->size <= image::kMaxInline) {
        read_small(task, fd);
    } else {
        read_big(task, fd);
    }
}

void FileReader::read_small(ScanTask& task, int fd) {
    std::string& content = task.inode->content;
    content.resize(task.inode->size);
    if (content.empty()) return;
    const ssize_t n = ::pread(fd, content.data(), content.size(), 0);
    if (n < 0) cannot_read(task);
    if (static_cast<std::size_t>(n) != content.size()) changed(task);
}

void FileReader::read_big(ScanTask& task, int fd) {
    image::Inode& inode = *task.inode;
    const bool keep =
        inode.size <= kKeepUpTo && task.dir->path_of(task.name).starts_with(kPolicies);
    std::string kept;
    std::uint64_t done = 0;
    while (done < inode.size) {
        const ssize_t n = ::pread(fd, buffer_.data(), buffer_.size(), static_cast<off_t>(done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) cannot_read(task);
        if (n == 0) changed(task);
        const ByteView piece = ByteView(buffer_).first(static_cast<std::size_t>(n));
        hasher_.update(piece);
        if (keep) kept.append(as_text(piece));
        done += piece.size();
        check(state_.stop);
    }
    inode.external = hasher_.finish();
    if (done != inode.size) changed(task);
    if (keep) state_.keep(*inode.external, std::move(kept));
    if (!state_.store) return;
    with_context("'/" + task.dir->path_of(task.name) + "'",
                 [&] { state_.store->put(fd, *inode.external); });
}

}  // namespace cfs::client
