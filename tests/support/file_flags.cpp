// SPDX-License-Identifier: Apache-2.0
#include "support/file_flags.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <iostream>
#include <sstream>

namespace cfs::test {
namespace {

constexpr int kBoth = FS_IMMUTABLE_FL | FS_APPEND_FL;

int flags_of(int fd, const std::string& path) {
    int flags = 0;
    if (::ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0) throw_errno("reading the flags of " + path);
    return flags;
}

UniqueFd open_file(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) throw_errno("opening " + path);
    return fd;
}

void change(int fd, const std::string& path, int add, int remove) {
    int flags = (flags_of(fd, path) | add) & ~remove;
    if (::ioctl(fd, FS_IOC_SETFLAGS, &flags) != 0) throw_errno("setting the flags of " + path);
}

}  // namespace

FileFlags::~FileFlags() {
    for (const UniqueFd& file : files_) {
        try {
            change(file.get(), "a file of this test", 0, kBoth);
        } catch (const Error& e) {
            std::cerr << e.what() << '\n';
        }
    }
}

std::string FileFlags::missing_in(const std::string& dir) {
    const std::string probe = dir + "/flags-probe";
    {
        const UniqueFd made(::open(probe.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        if (!made) throw_errno("making " + probe);
    }
    std::string why;
    try {
        const UniqueFd file = open_file(probe);
        change(file.get(), probe, FS_IMMUTABLE_FL, 0);
        change(file.get(), probe, 0, FS_IMMUTABLE_FL);
    } catch (const Error& e) {
        struct statfs st {};
        (void)::statfs(dir.c_str(), &st);
        std::ostringstream out;
        out << "no file can be made immutable here (euid " << ::geteuid() << ", file system type 0x"
            << std::hex << st.f_type << "): " << e.what();
        why = out.str();
    }
    (void)::unlink(probe.c_str());
    return why;
}

void FileFlags::add(const std::string& path, int flags) {
    files_.push_back(open_file(path));
    change(files_.back().get(), path, flags, 0);
}

int FileFlags::get(const std::string& path) {
    return flags_of(open_file(path).get(), path) & kBoth;
}

}  // namespace cfs::test
