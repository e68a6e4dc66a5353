// SPDX-License-Identifier: Apache-2.0
#include "store/lock.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "base/stop.hpp"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iomanip>
#include <set>
#include <sstream>
#include <thread>

namespace cfs::store {
namespace {

constexpr std::chrono::milliseconds kFirstPause{5};
constexpr std::chrono::milliseconds kLongestPause{100};

bool try_lock(int fd, int operation, const std::string& path) {
    for (;;) {
        if (::flock(fd, operation | LOCK_NB) == 0) return true;
        if (errno == EWOULDBLOCK) return false;
        if (errno != EINTR) throw_errno("locking the store '" + path + "'");
    }
}

/// "<major>:<minor>:<inode>" as /proc/locks writes it.
std::string kernel_name(int fd) {
    struct stat st {};
    if (::fstat(fd, &st) != 0) throw_errno("examining the store's directory");
    std::ostringstream out;
    out << std::hex << std::setfill('0') << std::setw(2) << major(st.st_dev) << ':' << std::setw(2)
        << minor(st.st_dev) << ':' << std::dec << st.st_ino;
    return out.str();
}

std::string command_of(const std::string& pid) {
    std::ifstream in("/proc/" + pid + "/comm");
    std::string name;
    std::getline(in, name);
    return name.empty() ? "process " + pid : name + " (process " + pid + ")";
}

/// Best effort: the processes holding a flock on that directory, e.g. "cfsctl (process 12)". A
/// line of /proc/locks: "1: FLOCK  ADVISORY  READ 1234 fe:00:5678 0 EOF".
std::string holders(int fd) {
    const std::string wanted = kernel_name(fd);
    std::set<std::string> names;
    std::ifstream locks("/proc/locks");
    for (std::string line; std::getline(locks, line);) {
        std::istringstream fields(line);
        std::string number;
        std::string type;
        std::string kind;
        std::string access;
        std::string pid;
        std::string file;
        fields >> number >> type >> kind >> access >> pid >> file;
        if (type == "FLOCK" && file == wanted) names.insert(command_of(pid));
    }
    std::string out;
    for (const auto& name : names)
        out += (out.empty() ? "" : ", ") + name;
    return out;
}

[[noreturn]] void throw_busy(int fd, int operation, const std::string& path) {
    const std::string who = holders(fd);
    const bool shared = operation == LOCK_SH;
    throw Error(ErrorCode::Busy,
                "the store '" + path + "' is locked by " + (who.empty() ? "another process" : who),
                shared ? "garbage is being collected there: wait until that has ended, then retry"
                       : "an update or another tool uses the store: wait until that has ended, "
                         "then retry");
}

}  // namespace

bool ExclusiveLock::covers(int dir_fd) const {
    struct stat mine {};
    struct stat other {};
    if (::fstat(fd_.get(), &mine) != 0 || ::fstat(dir_fd, &other) != 0) return false;
    return mine.st_dev == other.st_dev && mine.st_ino == other.st_ino;
}

UniqueFd lock_directory(int dir_fd,
                        int operation,
                        std::chrono::milliseconds timeout,
                        const std::stop_token& stop,
                        const std::string& path) {
    UniqueFd fd = open_dir_at(dir_fd, ".");
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    auto pause = kFirstPause;
    while (!try_lock(fd.get(), operation, path)) {
        check(stop);
        if (std::chrono::steady_clock::now() >= deadline) throw_busy(fd.get(), operation, path);
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, kLongestPause);
    }
    return fd;
}

}  // namespace cfs::store
