// SPDX-License-Identifier: Apache-2.0
#include "store/repository.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "crypto/fsverity.hpp"
#include "store/parts.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cfs::store {
namespace {

constexpr std::size_t kMaxMetaBytes = std::size_t{64} * 1024;

std::string in_quotes(const std::string& path) {
    return "'" + printable(path, 400) + "'";
}

/// What an existing meta.json says; nullopt without one.
struct FoundMeta {
    Meta meta;
    bool verity = false;
};

std::optional<FoundMeta> find_meta(int dir) {
    const auto fd = find_at(dir, kMetaName, O_RDONLY | O_NONBLOCK);
    if (!fd) return std::nullopt;
    const Bytes text = with_context(std::string("reading ") + kMetaName,
                                    [&] { return read_whole(fd->get(), kMaxMetaBytes); });
    return FoundMeta{parse_meta(as_text(text)), measure_verity(fd->get()).has_value()};
}

/// Durable and, where asked for, under fs-verity before it gets its name.
void write_meta(int dir, HashAlgorithm algorithm, VerityPolicy policy) {
    TempFile file(dir);
    write_all(file.fd(), as_bytes(make_meta(algorithm)));
    fsync_file(file.fd(), kMetaName);
    if (policy != VerityPolicy::Off) {
        file.reopen_read_only();
        const bool enabled = enable_verity(file.fd(), algorithm) != VerityEnable::Unsupported;
        if (!enabled && policy == VerityPolicy::Require) {
            throw Error(ErrorCode::Unsupported,
                        "the file system has no fs-verity for " + std::string(to_string(algorithm)),
                        "use ext4 (tune2fs -O verity), btrfs or f2fs for the store, or set "
                        "store.verity = \"try\" on a machine that need not be sealed");
        }
    }
    if (file.publish(kMetaName) != TempFile::Published::Done) {
        throw Error(
            ErrorCode::Busy, std::string("somebody else just made ") + kMetaName, "run this again");
    }
    fsync_dir_at(dir, ".");
}

void require_same(const Meta& found, HashAlgorithm wanted) {
    if (found.algorithm == wanted) return;
    throw Error(ErrorCode::Unsupported,
                "there is a store already and it uses " + meta_algorithm_name(found.algorithm) +
                    ", not " + meta_algorithm_name(wanted),
                "use that algorithm, or another directory");
}

constexpr const char* kOldStoreHint =
    "a store of an old composefs-rs: open it once with that project's cfsctl, which adds the file";

/// Objects without meta.json may be named by either hash: not ours to guess.
void require_no_objects(int dir) {
    const auto objects = find_at(dir, "objects", O_RDONLY | O_DIRECTORY);
    if (!objects || list_dir(objects->get()).empty()) return;
    throw Error(ErrorCode::StateCorrupt,
                std::string("there are objects already, and no ") + kMetaName,
                kOldStoreHint);
}

[[noreturn]] void throw_no_meta(int dir, const std::string& path) {
    const bool old = stat_at(dir, "objects").has_value();
    throw Error(ErrorCode::NotFound,
                in_quotes(path) + " is no object store: it has no " + kMetaName,
                old ? kOldStoreHint
                    : "check the setting 'sysroot', or make a first deployment with "
                      "'cfsctl install'");
}

[[noreturn]] void throw_insecure(const std::string& path) {
    throw Error(ErrorCode::Unsupported,
                "the store " + in_quotes(path) + " has no fs-verity (" + kMetaName +
                    " without it), and store.verity = \"require\"",
                "make the store on ext4 (tune2fs -O verity), btrfs or f2fs, or set store.verity = "
                "\"try\" on a machine that need not be sealed");
}

}  // namespace

void Repository::init(int dir_fd, HashAlgorithm algorithm, VerityPolicy policy) {
    with_context("making an object store", [&] {
        if (const auto found = find_meta(dir_fd)) return require_same(found->meta, algorithm);
        require_no_objects(dir_fd);
        if (::fchmod(dir_fd, 0700) != 0) throw_errno("setting the mode of the store");
        for (const char* name : {"objects", "images", "streams"}) {
            make_dirs_at(dir_fd, name, 0755);
        }
        write_meta(dir_fd, algorithm, policy);
    });
}

std::unique_ptr<Repository> Repository::open(const std::string& path, VerityPolicy policy) {
    auto parts = std::make_unique<RepositoryParts>();
    parts->path = path;
    parts->policy = policy;
    parts->dir = open_root(path);
    auto found = with_context("opening the store " + in_quotes(path),
                              [&] { return find_meta(parts->dir.get()); });
    if (!found) throw_no_meta(parts->dir.get(), path);
    parts->meta = std::move(found->meta);
    parts->secure = found->verity;
    if (!parts->secure && policy == VerityPolicy::Require) throw_insecure(path);
    auto objects = find_at(parts->dir.get(), "objects", O_RDONLY | O_DIRECTORY);
    if (!objects) {
        throw Error(ErrorCode::StateCorrupt,
                    "the store " + in_quotes(path) + " has no directory 'objects'",
                    "the store lost its content: make a new one and fetch the image again");
    }
    parts->objects = std::move(*objects);
    parts->read_only_mount = free_space(parts->dir.get()).read_only;
    return std::unique_ptr<Repository>(new Repository(std::move(parts)));
}

Repository::Repository(std::unique_ptr<RepositoryParts> parts) : parts_(std::move(parts)) {}

Repository::~Repository() = default;

HashAlgorithm Repository::algorithm() const {
    return parts_->meta.algorithm;
}

bool Repository::secure() const {
    return parts_->secure;
}

int Repository::default_erofs_format() const {
    return parts_->meta.default_erofs_format;
}

bool Repository::writable() const {
    return !parts_->read_only_mount && parts_->meta.unknown_read_only.empty();
}

void Repository::require_algorithm(HashAlgorithm algorithm) const {
    require_algorithm_of(*parts_, algorithm);
}

int Repository::dir_fd() const {
    return parts_->dir.get();
}

const std::string& Repository::path() const {
    return parts_->path;
}

SharedLock Repository::lock_shared(std::chrono::milliseconds timeout,
                                   const std::stop_token& stop) const {
    return SharedLock(lock_directory(dir_fd(), LOCK_SH, timeout, stop, path()));
}

ExclusiveLock Repository::try_lock_exclusive(std::chrono::milliseconds timeout,
                                             const std::stop_token& stop) const {
    return ExclusiveLock(lock_directory(dir_fd(), LOCK_EX, timeout, stop, path()));
}

void Repository::sync() const {
    sync_file_system(dir_fd(), path());
}

RepositoryParts& parts_of(const Repository& repository) {
    return *repository.parts_;
}

void require_writable(const RepositoryParts& parts) {
    if (!parts.meta.unknown_read_only.empty()) {
        throw Error(ErrorCode::Unsupported,
                    "the store " + in_quotes(parts.path) + " has the feature '" +
                        printable(parts.meta.unknown_read_only.front()) +
                        "', which this program may read but not write",
                    "a newer tool made this store: update cfsupdated");
    }
    if (parts.read_only_mount) {
        throw Error(ErrorCode::Io,
                    std::make_error_code(std::errc::read_only_file_system),
                    "the store " + in_quotes(parts.path) + " is on a read-only file system",
                    "mount it writable for this program (the shipped unit does), and check the "
                    "kernel log for disk errors");
    }
}

void require_algorithm_of(const RepositoryParts& parts, HashAlgorithm algorithm) {
    if (algorithm == parts.meta.algorithm) return;
    throw Error(ErrorCode::Unsupported,
                "the store " + in_quotes(parts.path) + " names objects by " +
                    std::string(to_string(parts.meta.algorithm)) + ", not by " +
                    std::string(to_string(algorithm)),
                "use an image that was sealed with the store's hash algorithm");
}

}  // namespace cfs::store
