// SPDX-License-Identifier: Apache-2.0
#include "base/crash_point.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "base/log.hpp"
#include "crypto/fsverity.hpp"
#include "store/parts.hpp"
#include "store/repository.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <ctime>

namespace cfs::store {
namespace {

constexpr const char* kDamagedHint =
    "run 'cfsctl store fsck' to see all damage and 'cfsctl repair' to fetch what is damaged again";

/// From this size on an object's way to the disk begins at once.
constexpr std::uint64_t kWorthWriting = std::uint64_t{256} << 10;

struct stat stat_of(int fd) {
    struct stat st {};
    if (::fstat(fd, &st) != 0) throw_errno("examining an object");
    return st;
}

Digest hash_once(RepositoryParts& parts, int fd, const struct stat& st) {
    if (const auto known = parts.measured.find(st)) return *known;
    struct timespec now {};
    (void)::clock_gettime(CLOCK_REALTIME, &now);
    const Digest digest = verity_digest_of_file(parts.meta.algorithm, fd);
    parts.measured.remember(st, digest, now);
    return digest;
}

/// Empty for a sound one.
std::string problem_of(RepositoryParts& parts, int fd, const Digest& name) {
    const struct stat st = stat_of(fd);
    if (!S_ISREG(st.st_mode)) return "is no regular file";
    if (const auto kernel = measure_verity(fd)) {
        return *kernel == name ? "" : "fs-verity measures " + kernel->hex();
    }
    if (parts.secure) return "has no fs-verity, which this store demands";
    const Digest found = hash_once(parts, fd, st);
    return found == name ? "" : "its content hashes to " + found.hex();
}

/// The kernel hashes the file once more here; both sums must agree with the name.
void seal(RepositoryParts& parts, TempFile& file, const Digest& digest) {
    file.reopen_read_only();
    const auto result = enable_verity(file.fd(), parts.meta.algorithm);
    if (result == VerityEnable::Unsupported) {
        if (!parts.secure) {
            parts.verity_worth_trying = false;
            return;
        }
        throw Error(ErrorCode::Unsupported,
                    "the store '" + parts.path + "' demands fs-verity for each object, and its " +
                        "file system refuses it",
                    "the store was copied to another file system: make a new store there");
    }
    const auto measured = measure_verity(file.fd());
    if (!measured || *measured != digest) {
        throw Error(ErrorCode::Io,
                    "an object was written as " + digest.hex() + " and reads back as " +
                        (measured ? measured->hex() : "unmeasurable"),
                    "memory or disk is failing: check the kernel log");
    }
}

/// Without fs-verity: the epoch as mtime, so that MeasuredFiles sees any later write.
void age(const TempFile& file) {
    struct timespec times[2] = {{0, UTIME_OMIT}, {0, 0}};
    if (::futimens(file.fd(), times) != 0) throw_errno("setting the time of a new object");
}

void make_fan_out(const RepositoryParts& parts, const std::string& name) {
    if (::mkdirat(parts.objects.get(), name.c_str(), 0755) != 0) {
        if (errno == EEXIST) return;
        throw_errno("creating 'objects/" + name + "'");
    }
    // Whatever the process's umask: the mode is the format's.
    if (::fchmodat(parts.objects.get(), name.c_str(), 0755, 0) != 0) {
        throw_errno("setting the mode of 'objects/" + name + "'");
    }
}

/// The damaged one goes when the whole content of the new one is on the disk, not before: it may
/// be the better of the two until then.
void replace_object(RepositoryParts& parts, TempFile& file, const Digest& digest) {
    log::warn("replacing a damaged object: " + examine_object(parts, digest).problem +
              " object=" + digest.hex());
    fsync_file(file.fd(), "object " + digest.hex());
    crash_point("store.replacement-synced");
    const std::string path = object_path(digest);
    const auto st = stat_at(parts.objects.get(), path);
    // A rename takes the place of anything but a directory.
    if (st && S_ISDIR(st->st_mode)) remove_tree_at(parts.objects.get(), path);
    file.publish_over(path);
}

void link_object(RepositoryParts& parts, TempFile& file, const Digest& digest) {
    const std::string path = object_path(digest);
    auto result = file.publish(path);
    if (result == TempFile::Published::NoDirectory) {
        make_fan_out(parts, path.substr(0, 2));
        result = file.publish(path);
    }
    if (result == TempFile::Published::NoDirectory) {
        throw Error(ErrorCode::Io, "cannot name the object '" + path + "' (is /proc mounted?)");
    }
    if (result == TempFile::Published::Exists) {
        if (examine_object(parts, digest).state == ObjectState::Sound) return;
        replace_object(parts, file, digest);
    }
    parts.distrusted.remove(digest);
    crash_point("store.object-linked");
}

}  // namespace

std::string object_path(const Digest& digest) {
    const std::string hex = digest.hex();
    return hex.substr(0, 2) + "/" + hex.substr(2);
}

std::optional<Digest> digest_from_parts(std::string_view first,
                                        std::string_view rest,
                                        HashAlgorithm algorithm) {
    const std::string hex = std::string(first) + std::string(rest);
    if (first.size() != 2 || hex.size() != 2 * digest_size(algorithm)) return std::nullopt;
    auto digest = Digest::from_hex(hex);
    if (!digest || digest->hex() != hex) return std::nullopt;
    return digest;
}

FanOuts list_fan_outs(const RepositoryParts& parts) {
    FanOuts out;
    for (const auto& name : list_dir(parts.objects.get())) {
        const bool two_digits =
            name.size() == 2 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
        const auto st = two_digits ? stat_at(parts.objects.get(), name) : std::nullopt;
        if (!st) continue;
        if (S_ISDIR(st->st_mode)) {
            out.names.push_back(name);
        } else {
            out.odd.push_back("objects/" + name);
        }
    }
    return out;
}

ExaminedObject examine_object(RepositoryParts& parts, const Digest& digest) {
    require_algorithm_of(parts, digest.algorithm());
    ExaminedObject out;
    if (parts.distrusted.contains(digest)) {
        if (!stat_at(parts.objects.get(), object_path(digest))) return out;
        out.state = ObjectState::Damaged;
        out.problem = "it measures right and cannot be read as it was written";
        return out;
    }
    auto fd = find_at(parts.objects.get(), object_path(digest), O_RDONLY | O_NONBLOCK);
    if (!fd) return out;
    out.fd = std::move(*fd);
    out.problem = with_context("examining the object " + digest.hex(),
                               [&] { return problem_of(parts, out.fd.get(), digest); });
    out.state = out.problem.empty() ? ObjectState::Sound : ObjectState::Damaged;
    return out;
}

void commit_object(RepositoryParts& parts, TempFile& file, const Digest& digest) {
    if (examine_object(parts, digest).state == ObjectState::Sound) return;
    const bool try_it = parts.policy == VerityPolicy::Try && parts.verity_worth_trying;
    if (parts.secure || try_it) seal(parts, file, digest);
    struct timespec now {};
    (void)::clock_gettime(CLOCK_REALTIME, &now);
    if (!parts.secure) age(file);
    link_object(parts, file, digest);
    if (!parts.secure) parts.measured.remember(stat_of(file.fd()), digest, now);
}

ObjectWriter::ObjectWriter(RepositoryParts& repository)
    : repository_(repository),
      file_(repository.objects.get()),
      hasher_(repository.meta.algorithm) {}

ObjectWriter::~ObjectWriter() = default;

void ObjectWriter::write(ByteView data) {
    with_context("writing an object", [&] { write_all(file_.fd(), data); });
    hasher_.update(data);
    size_ += data.size();
}

const Digest& ObjectWriter::digest() {
    if (!digest_) digest_ = hasher_.finish();
    return *digest_;
}

Digest ObjectWriter::commit() {
    if (size_ >= kWorthWriting) begin_writeback();
    commit_object(repository_, file_, digest());
    return digest();
}

void ObjectWriter::begin_writeback() {
    // Only that the disk has something to do before the commit point's syncfs waits for it: what
    // fails here fails there.
    (void)::sync_file_range(file_.fd(), 0, 0, SYNC_FILE_RANGE_WRITE);
}

Digest Repository::put_object(ByteView content) {
    require_writable(*parts_);
    const Digest digest = verity_digest(algorithm(), content);
    if (has_object(digest)) return digest;
    TempFile file(parts_->objects.get());
    with_context("writing an object", [&] { write_all(file.fd(), content); });
    commit_object(*parts_, file, digest);
    return digest;
}

std::unique_ptr<ObjectWriter> Repository::new_object() {
    require_writable(*parts_);
    return std::make_unique<ObjectWriter>(*parts_);
}

bool Repository::has_object(const Digest& digest) const {
    return examine_object(*parts_, digest).state == ObjectState::Sound;
}

void Repository::distrust(const Digest& digest) {
    parts_->distrusted.add(digest);
}

UniqueFd Repository::open_object(const Digest& digest) const {
    auto found = examine_object(*parts_, digest);
    if (found.state == ObjectState::Missing) {
        throw Error(ErrorCode::NotFound,
                    "the store '" + path() + "' has no object " + digest.hex(),
                    kDamagedHint);
    }
    if (found.state == ObjectState::Damaged) {
        throw Error(ErrorCode::StateCorrupt,
                    "the object " + digest.hex() + " in the store '" + path() +
                        "' is damaged: " + found.problem,
                    kDamagedHint);
    }
    return std::move(found.fd);
}

std::optional<std::uint64_t> Repository::object_size(const Digest& digest) const {
    require_algorithm(digest.algorithm());
    const auto st = stat_at(parts_->objects.get(), object_path(digest));
    if (!st || !S_ISREG(st->st_mode)) return std::nullopt;
    return static_cast<std::uint64_t>(st->st_size);
}

}  // namespace cfs::store
