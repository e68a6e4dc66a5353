// SPDX-License-Identifier: Apache-2.0
// A library to preload: tells forget.py of each fsync, fdatasync and syncfs below a directory when
// it has ended, and waits for it. Set by the environment:
//   CFS_FORGET_DIR     absolute path without links of the machine
//   CFS_FORGET_SCRIPT  forget.py
//   CFS_FORGET_SHADOW  its directory: what a power cut would leave now
#include <climits>

#include <dlfcn.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

namespace {

/// One after the other: what was told first is durable first.
std::mutex telling;

std::string variable(const char* name) {
    const char* value = ::getenv(name);
    return value != nullptr ? value : "";
}

std::string path_of(int fd) {
    char path[PATH_MAX];
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
    return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : "";
}

/// A descriptor below a mount that no path leads to says less than where its file is: forget.py
/// looks for that.
bool may_be_below(int fd, const std::string& dir) {
    struct stat there {
    }, machine{};
    return ::fstat(fd, &there) == 0 && ::stat(dir.c_str(), &machine) == 0 &&
           there.st_dev == machine.st_dev;
}

[[noreturn]] void give_up(const char* what) {
    // A test that goes on without its shadow would show nothing.
    (void)::fprintf(stderr, "forget_io: %s\n", what);
    ::_exit(99);
}

void run(std::vector<std::string> words) {
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    std::string path = "PATH=/usr/bin:/bin";
    char* const environment[] = {path.data(), nullptr};
    pid_t child = 0;
    if (::posix_spawn(&child, "/usr/bin/python3", nullptr, nullptr, argv.data(), environment) != 0)
        give_up("no python3");
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) give_up("forget.py failed");
}

int tell(const char* what, int fd, int result) {
    const int error = errno;
    const std::string dir = variable("CFS_FORGET_DIR");
    std::string path = path_of(fd);
    if (path.compare(0, dir.size() + 1, dir + "/") != 0) path = "";
    if (result != 0 || dir.empty() || (path.empty() && !may_be_below(fd, dir))) {
        errno = error;
        return result;
    }
    const std::lock_guard lock(telling);
    run({"python3",
         "-B",
         variable("CFS_FORGET_SCRIPT"),
         what,
         dir,
         variable("CFS_FORGET_SHADOW"),
         path,
         "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd)});
    errno = error;
    return result;
}

int real(const char* name, int fd) {
    return reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, name))(fd);
}

}  // namespace

extern "C" {

int fsync(int fd) {
    return tell("sync", fd, real("fsync", fd));
}

int fdatasync(int fd) {
    return tell("sync", fd, real("fdatasync", fd));
}

int syncfs(int fd) noexcept {
    return tell("syncfs", fd, real("syncfs", fd));
}
}
