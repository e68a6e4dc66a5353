// SPDX-License-Identifier: Apache-2.0
#include "net/kept_blob.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "crypto/hasher.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cfs::net {
namespace {

constexpr const char* kPart = ".part";
constexpr const char* kMarks = ".marks";
constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
/// What is left to others is at most this part of a file system.
constexpr std::uint64_t kReservePart = 64;
constexpr std::size_t kMaxMarkBytes = std::size_t{64} << 20;

/// A name of its own per digest that needs no quoting anywhere.
std::string stem_of(const Descriptor& blob) {
    std::string out = to_oci(blob.digest);
    std::replace(out.begin(), out.end(), ':', '-');
    return out;
}

/// One mark: the number of bytes, little endian, and their digest.
std::size_t mark_bytes(HashAlgorithm algorithm) {
    return sizeof(std::uint64_t) + digest_size(algorithm);
}

UniqueFd open_keep_dir(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        throw_errno("making the directory '" + path + "'");
    }
    return open_root(path);
}

template <typename F>
void read_range(
    int fd, std::uint64_t from, std::uint64_t end, const std::stop_token& stop, F&& take) {
    Bytes buffer(static_cast<std::size_t>(std::min<std::uint64_t>(end - from, kBufferBytes)));
    while (from < end) {
        check(stop);
        const auto count =
            static_cast<std::size_t>(std::min<std::uint64_t>(end - from, buffer.size()));
        const std::span<std::uint8_t> piece(buffer.data(), count);
        pread_exact(fd, piece, from);
        take(ByteView(piece));
        from += count;
    }
}

void log_problem(const char* what, const std::string& name, const char* why) noexcept {
    try {
        log::warn(std::string(what) + " blob=" + name + " problem='" + why + "'");
    } catch (...) {  // a log line is not worth a transfer
        return;
    }
}

}  // namespace

KeptBlob::KeptBlob(UniqueFd dir,
                   std::string name,
                   const KeepOptions& options,
                   std::uint64_t blob_size)
    : dir_(std::move(dir)),
      name_(std::move(name)),
      most_(std::min(options.most, blob_size)),
      keep_free_(std::min(options.keep_free, free_space(dir_.get()).total / kReservePart)) {}

std::unique_ptr<KeptBlob> KeptBlob::open(const KeepOptions& options,
                                         const Descriptor& blob,
                                         const std::stop_token& stop) {
    if (options.dir.empty() || options.most == 0 || blob.size < options.least) return nullptr;
    const std::string name = stem_of(blob);
    try {
        std::unique_ptr<KeptBlob> kept(
            new KeptBlob(open_keep_dir(options.dir), name, options, blob.size));
        kept->open_files();
        kept->believe(blob, stop);
        return kept;
    } catch (const Error& e) {
        if (e.code() == ErrorCode::Cancelled) throw;
        log_problem("an interrupted transfer will not be continued", name, e.what());
        return nullptr;
    }
}

void KeptBlob::open_files() {
    part_ = open_at(dir_.get(), name_ + kPart, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (::flock(part_.get(), LOCK_EX | LOCK_NB) != 0)
        throw_errno("locking '" + name_ + kPart + "'");
    marks_ = open_at(dir_.get(), name_ + kMarks, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
}

/// Cuts both files to what the marks vouch for.
void KeptBlob::believe(const Descriptor& blob, const std::stop_token& stop) {
    const HashAlgorithm algorithm = blob.digest.algorithm();
    const std::size_t step = mark_bytes(algorithm);
    const Bytes marks = read_whole(marks_.get(), kMaxMarkBytes);
    const std::uint64_t there = file_size(part_.get());
    Hasher hasher(algorithm);
    std::size_t good = 0;
    for (std::size_t at = 0; at + step <= marks.size(); at += step) {
        const auto end = load_le<std::uint64_t>(marks, at);
        if (end <= size_ || end > there || end > most_) break;
        read_range(part_.get(), size_, end, stop, [&](ByteView piece) { hasher.update(piece); });
        const Digest expected(algorithm,
                              ByteView(marks).subspan(at + sizeof end, step - sizeof end));
        if (hasher.so_far() != expected) break;
        size_ = marked_ = end;
        good = at + step;
    }
    if (::ftruncate(part_.get(), static_cast<off_t>(size_)) != 0 ||
        ::ftruncate(marks_.get(), static_cast<off_t>(good)) != 0 ||
        ::lseek(part_.get(), static_cast<off_t>(size_), SEEK_SET) < 0) {
        throw_errno("cutting '" + name_ + kPart + "'");
    }
}

void KeptBlob::replay(Sink& sink, const std::stop_token& stop) const {
    read_range(part_.get(), 0, size_, stop, [&](ByteView piece) { sink.write(piece); });
}

void KeptBlob::append(ByteView data) noexcept {
    if (!part_ || size_ >= most_) return;
    const std::size_t count =
        static_cast<std::size_t>(std::min<std::uint64_t>(most_ - size_, data.size()));
    try {
        write_all(part_.get(), data.first(count));
        size_ += count;
    } catch (const std::exception& e) {
        give_up(e.what());
    }
}

void KeptBlob::mark(const Digest& digest) noexcept {
    if (!part_ || size_ == marked_) return;
    try {
        if (free_space(dir_.get()).available < keep_free_) return give_up("little room is left");
        Bytes mark(sizeof size_);
        store_le(mark, 0, size_);
        const ByteView bytes = digest.bytes();
        mark.insert(mark.end(), bytes.begin(), bytes.end());
        write_all(marks_.get(), mark);
        marked_ = size_;
    } catch (const std::exception& e) {
        give_up(e.what());
    }
}

/// The room is given back at once.
void KeptBlob::give_up(const char* why) noexcept {
    log_problem("this transfer cannot be continued after a restart", name_, why);
    (void)::unlinkat(dir_.get(), (name_ + kPart).c_str(), 0);
    (void)::unlinkat(dir_.get(), (name_ + kMarks).c_str(), 0);
    part_.reset();
    marks_.reset();
}

std::uint64_t kept_size(const KeepOptions& options, const Descriptor& blob) {
    if (options.dir.empty() || blob.size < options.least) return 0;
    const std::size_t step = mark_bytes(blob.digest.algorithm());
    try {
        const UniqueFd dir = open_root(options.dir);
        const auto part = stat_at(dir.get(), stem_of(blob) + kPart);
        const auto marks = find_at(dir.get(), stem_of(blob) + kMarks, O_RDONLY | O_NOFOLLOW);
        if (!part || !marks) return 0;
        const Bytes all = read_whole(marks->get(), kMaxMarkBytes);
        if (all.size() < step) return 0;
        const auto last = load_le<std::uint64_t>(all, (all.size() / step - 1) * step);
        const bool fits = last <= blob.size && last <= static_cast<std::uint64_t>(part->st_size);
        return fits ? last : 0;
    } catch (const Error&) {
        return 0;  // nothing is kept where nothing can be read
    }
}

void forget_kept(const KeepOptions& options, const Descriptor& blob) noexcept {
    if (options.dir.empty()) return;
    (void)::unlink((options.dir + "/" + stem_of(blob) + kPart).c_str());
    (void)::unlink((options.dir + "/" + stem_of(blob) + kMarks).c_str());
}

void prune_kept(const KeepOptions& options, std::span<const Descriptor> wanted) noexcept {
    if (options.dir.empty()) return;
    try {
        const UniqueFd dir = open_root(options.dir);
        for (const std::string& name : list_dir(dir.get())) {
            const bool keep = std::any_of(wanted.begin(), wanted.end(), [&](const auto& blob) {
                const std::string stem = stem_of(blob);
                return name == stem + kPart || name == stem + kMarks;
            });
            if (!keep) (void)unlink_at(dir.get(), name);
        }
    } catch (const Error& e) {
        if (e.code() != ErrorCode::NotFound) log_problem("not tidied", options.dir, e.what());
    }
}

}  // namespace cfs::net
