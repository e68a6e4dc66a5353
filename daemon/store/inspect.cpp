// SPDX-License-Identifier: Apache-2.0
#include "store/inspect.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "crypto/fsverity.hpp"
#include "store/parts.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <exception>

namespace cfs::store {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;

/// What `on_read` throws is the caller's business, not the object's.
struct Interrupted {
    std::exception_ptr why;
};

void announce(const OnRead& on_read, std::uint64_t bytes) {
    try {
        if (on_read) on_read(bytes);
    } catch (...) {
        throw Interrupted{std::current_exception()};
    }
}

Digest read_and_hash(int fd, std::uint64_t size, HashAlgorithm algorithm, const OnRead& on_read) {
    drop_cache(fd);
    VerityHasher hasher(algorithm);
    Bytes buffer(kPiece);
    std::uint64_t left = size;
    for (;;) {
        announce(on_read, std::min<std::uint64_t>(left, kPiece));
        const std::size_t n = read_some(fd, buffer);
        if (n == 0) break;
        hasher.update(ByteView(buffer).first(n));
        left -= std::min<std::uint64_t>(left, n);
    }
    drop_cache(fd);
    return hasher.finish();
}

std::string in_bytes(std::uint64_t size) {
    return std::to_string(size) + " bytes";
}

/// Fills `out` but for the state; an empty problem means sound.
void examine(const RepositoryParts& parts,
             int fd,
             const Digest& object,
             Look look,
             std::optional<std::uint64_t> size,
             const OnRead& on_read,
             Inspection& out) {
    struct stat st {};
    if (::fstat(fd, &st) != 0) throw_errno("examining an object");
    const auto found_size = static_cast<std::uint64_t>(st.st_size);
    if (!S_ISREG(st.st_mode)) {
        out.problem = "is no regular file";
    } else if (size && found_size != *size) {
        out.problem = "has " + in_bytes(found_size) + ", expected " + in_bytes(*size);
    } else if (const auto kernel = measure_verity(fd)) {
        out.vouched = true;
        if (*kernel != object) out.problem = "fs-verity measures " + kernel->hex();
    } else if (parts.secure) {
        out.problem = "has no fs-verity, which this store demands";
    }
    if (!out.problem.empty() || look == Look::Measure) return;
    const Digest found = read_and_hash(fd, found_size, object.algorithm(), on_read);
    out.vouched = true;
    if (found != object) out.problem = "its content hashes to " + found.hex();
}

}  // namespace

Inspection inspect_object(Repository& repository,
                          const Digest& object,
                          Look look,
                          std::optional<std::uint64_t> size,
                          const OnRead& on_read) {
    const RepositoryParts& parts = parts_of(repository);
    require_algorithm_of(parts, object.algorithm());
    Inspection out;
    try {
        const auto fd =
            find_at(parts.objects.get(), object_path(object), O_RDONLY | O_NONBLOCK | O_NOCTTY);
        if (!fd) return out;
        examine(parts, fd->get(), object, look, size, on_read, out);
    } catch (const Interrupted& interrupted) {
        std::rethrow_exception(interrupted.why);
    } catch (const Error& e) {
        out.problem = e.what();
    }
    out.state = out.problem.empty() ? ObjectState::Sound : ObjectState::Damaged;
    if (out.state == ObjectState::Damaged) repository.distrust(object);
    return out;
}

}  // namespace cfs::store
