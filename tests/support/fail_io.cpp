// SPDX-License-Identifier: Apache-2.0
// A library to preload: the n-th call that changes something below a directory fails, or is the
// process's last. Set by the environment:
//   CFS_FAIL_DIR     absolute path without links; calls elsewhere are not counted
//   CFS_FAIL_AT      which call, from 1; 0 only counts
//   CFS_FAIL_WITH    ENOSPC, EIO, EINTR (counts only calls that a signal interrupts) or KILL
//   CFS_FAIL_STICKY  1: every call from there on fails
//   CFS_FAIL_REPORT  file that gets a line for the call, and "total N" at the end
#include <climits>

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace {

enum class Kind { Plain, Interruptible };

struct Plan {
    const char* dir = "";
    unsigned long at = 0;
    int error = 0;  ///< 0: kill
    bool sticky = false;
    const char* report = nullptr;
};

std::atomic<unsigned long> calls{0};

/// The next definition of a function: the C library's.
template <typename F>
F next(const char* name) {
    return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

long raw_syscall(long number, long a, long b, long c, long d, long e, long f) {
    static const auto real = next<long (*)(long, ...)>("syscall");
    return real(number, a, b, c, d, e, f);
}

const char* variable(const char* name) {
    const char* value = ::getenv(name);
    return value != nullptr ? value : "";
}

int error_named(const char* name) {
    if (std::strcmp(name, "ENOSPC") == 0) return ENOSPC;
    if (std::strcmp(name, "EINTR") == 0) return EINTR;
    return std::strcmp(name, "KILL") == 0 ? 0 : EIO;
}

const Plan& plan() {
    static const Plan plan = [] {
        Plan out;
        out.dir = variable("CFS_FAIL_DIR");
        out.at = std::strtoul(variable("CFS_FAIL_AT"), nullptr, 10);
        out.error = error_named(variable("CFS_FAIL_WITH"));
        out.sticky = *variable("CFS_FAIL_STICKY") == '1';
        out.report = variable("CFS_FAIL_REPORT");
        return out;
    }();
    return plan;
}

void report(const char* text) {
    if (*plan().report == '\0') return;
    const long fd = raw_syscall(SYS_openat,
                                AT_FDCWD,
                                reinterpret_cast<long>(plan().report),
                                O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
                                0600,
                                0,
                                0);
    if (fd < 0) return;
    raw_syscall(
        SYS_write, fd, reinterpret_cast<long>(text), static_cast<long>(std::strlen(text)), 0, 0, 0);
    raw_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
}

struct AtExit {
    AtExit() = default;
    AtExit(const AtExit&) = delete;
    AtExit& operator=(const AtExit&) = delete;

    ~AtExit() {
        char line[64];
        (void)std::snprintf(line, sizeof line, "total %lu\n", calls.load());
        report(line);
    }
};

const AtExit at_exit;

/// Path of an open file or directory; empty if it has none.
struct PathOf {
    explicit PathOf(int fd) {
        char link[64];
        (void)std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        const ssize_t n = ::readlink(link, text, sizeof text - 1);
        text[n > 0 ? n : 0] = '\0';
    }

    char text[PATH_MAX];
};

bool is_below(const char* path) {
    const std::size_t size = std::strlen(plan().dir);
    return size > 0 && std::strncmp(path, plan().dir, size) == 0 &&
           (path[size] == '/' || path[size] == '\0');
}

bool decide(const char* call, const char* where, const char* name) {
    const unsigned long number = ++calls;
    const bool strikes =
        plan().at != 0 && (number == plan().at || (plan().sticky && number > plan().at));
    if (!strikes) return false;
    if (number == plan().at) {
        char line[PATH_MAX + 300];
        (void)std::snprintf(line, sizeof line, "%lu: %s %s %s\n", number, call, where, name);
        report(line);
    }
    if (plan().error == 0) ::kill(::getpid(), SIGKILL);
    errno = plan().error;
    return true;
}

/// True when this call must fail; errno is set.
bool strikes(const char* call, Kind kind, int dir, const char* name) {
    const int before = errno;
    if (plan().error == EINTR && kind == Kind::Plain) return false;
    if (name != nullptr && *name == '/') {
        if (is_below(name)) return decide(call, "", name);
    } else if (dir >= 0) {
        const PathOf path(dir);
        if (is_below(path.text)) return decide(call, path.text, name != nullptr ? name : "");
    }
    errno = before;
    return false;
}

constexpr int kCreating = O_CREAT | O_TRUNC;

bool creates(int flags) {
    return (flags & kCreating) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

}  // namespace

// NOLINTBEGIN: these are the C library's names and types.
#define CFS_CALL(name, result, throws, params, args, kind, dir, path) \
    extern "C" result name params throws {                            \
        static const auto real = next<result(*) params>(#name);       \
        if (strikes(#name, kind, dir, path)) return -1;               \
        return real args;                                             \
    }
#define CFS_FD(name, result, throws, params, args) \
    CFS_CALL(name, result, throws, params, args, Kind::Interruptible, fd, nullptr)
#define CFS_FD_PLAIN(name, result, params, args) \
    CFS_CALL(name, result, noexcept, params, args, Kind::Plain, fd, nullptr)
#define CFS_AT(name, params, args) \
    CFS_CALL(name, int, noexcept, params, args, Kind::Plain, dir, path)
#define CFS_PATH(name, params, args) \
    CFS_CALL(name, int, noexcept, params, args, Kind::Plain, AT_FDCWD, path)

CFS_FD(write, ssize_t, , (int fd, const void* data, size_t size), (fd, data, size))
CFS_FD(pwrite,
       ssize_t,
       ,
       (int fd, const void* data, size_t size, off_t offset),
       (fd, data, size, offset))
CFS_FD(pwrite64,
       ssize_t,
       ,
       (int fd, const void* data, size_t size, off64_t offset),
       (fd, data, size, offset))
CFS_FD(writev, ssize_t, , (int fd, const struct iovec* data, int count), (fd, data, count))
CFS_FD(fsync, int, , (int fd), (fd))
CFS_FD(fdatasync, int, , (int fd), (fd))
CFS_FD(syncfs, int, noexcept, (int fd), (fd))
CFS_FD_PLAIN(fchmod, int, (int fd, mode_t mode), (fd, mode))
CFS_FD_PLAIN(fchown, int, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
CFS_FD_PLAIN(futimens, int, (int fd, const struct timespec* times), (fd, times))
CFS_FD_PLAIN(fsetxattr,
             int,
             (int fd, const char* key, const void* value, size_t size, int flags),
             (fd, key, value, size, flags))
CFS_AT(mkdirat, (int dir, const char* path, mode_t mode), (dir, path, mode))
CFS_AT(mkfifoat, (int dir, const char* path, mode_t mode), (dir, path, mode))
CFS_AT(mknodat, (int dir, const char* path, mode_t mode, dev_t dev), (dir, path, mode, dev))
CFS_AT(unlinkat, (int dir, const char* path, int flags), (dir, path, flags))
CFS_AT(fchmodat, (int dir, const char* path, mode_t mode, int flags), (dir, path, mode, flags))
CFS_AT(fchownat,
       (int dir, const char* path, uid_t uid, gid_t gid, int flags),
       (dir, path, uid, gid, flags))
CFS_AT(utimensat,
       (int dir, const char* path, const struct timespec* times, int flags),
       (dir, path, times, flags))
CFS_AT(symlinkat, (const char* target, int dir, const char* path), (target, dir, path))
// For the calls with two names the second one, which is made, tells where.
CFS_AT(renameat,
       (int from_dir, const char* from, int dir, const char* path),
       (from_dir, from, dir, path))
CFS_AT(renameat2,
       (int from_dir, const char* from, int dir, const char* path, unsigned flags),
       (from_dir, from, dir, path, flags))
CFS_AT(linkat,
       (int from_dir, const char* from, int dir, const char* path, int flags),
       (from_dir, from, dir, path, flags))
CFS_PATH(mkdir, (const char* path, mode_t mode), (path, mode))
CFS_PATH(rename, (const char* from, const char* path), (from, path))
CFS_PATH(unlink, (const char* path), (path))
CFS_PATH(rmdir, (const char* path), (path))
CFS_PATH(lsetxattr,
         (const char* path, const char* key, const void* value, size_t size, int flags),
         (path, key, value, size, flags))

#define CFS_OPENAT(name)                                                                 \
    extern "C" int name(int dir, const char* path, int flags, ...) {                     \
        static const auto real = next<int (*)(int, const char*, int, ...)>(#name);       \
        va_list rest;                                                                    \
        va_start(rest, flags);                                                           \
        const mode_t mode = creates(flags) ? va_arg(rest, mode_t) : 0;                   \
        va_end(rest);                                                                    \
        if (creates(flags) && strikes(#name, Kind::Interruptible, dir, path)) return -1; \
        return real(dir, path, flags, mode);                                             \
    }

CFS_OPENAT(openat)
CFS_OPENAT(openat64)

// How many there are is known to the kernel alone: six are read, whatever lies there.
extern "C" __attribute__((no_sanitize("address"))) long syscall(long number, ...) noexcept {
    va_list rest;
    va_start(rest, number);
    long a[6];
    for (long& value : a)
        value = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_openat2) {
        const auto* how = reinterpret_cast<const struct open_how*>(a[2]);
        const bool counted = creates(static_cast<int>(how->flags));
        const auto* path = reinterpret_cast<const char*>(a[1]);
        if (counted && strikes("openat2", Kind::Interruptible, static_cast<int>(a[0]), path))
            return -1;
    }
    return raw_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

// NOLINTEND
