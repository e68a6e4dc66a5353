// SPDX-License-Identifier: Apache-2.0
#include "client/seal/process.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/spawn.hpp"
#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sstream>

namespace cfs::client {
namespace {

constexpr std::size_t kShownOutput = 4096;

pid_t spawn(const std::vector<std::string>& argv, int output) {
    const SpawnSetup setup(output, ChildGroup::Ours);
    std::vector<char*> pointers;
    for (const std::string& arg : argv)
        pointers.push_back(const_cast<char*>(arg.c_str()));
    pointers.push_back(nullptr);
    pid_t child = -1;
    const int err = ::posix_spawnp(
        &child, pointers[0], setup.actions(), setup.attributes(), pointers.data(), ::environ);
    if (err != 0) throw_errno(err, "starting '" + argv[0] + "'");
    return child;
}

std::string read_to_end(int fd) {
    FdSource source(fd);
    std::string out;
    std::array<std::uint8_t, 4096> buffer{};
    while (const std::size_t n = source.read(buffer)) {
        out += as_text(ByteView(buffer).first(n));
        if (out.size() > kShownOutput) out.erase(0, out.size() - kShownOutput);
    }
    return out;
}

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) throw_errno("waiting for a program");
    }
    return status;
}

std::string describe_end(int status) {
    if (WIFSIGNALED(status)) return "was killed by signal " + std::to_string(WTERMSIG(status));
    return "failed with exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

bool have_program(const std::string& program) {
    const char* path = std::getenv("PATH");
    std::istringstream dirs(path == nullptr ? "/usr/bin:/bin" : path);
    for (std::string dir; std::getline(dirs, dir, ':');) {
        if (::access((dir + "/" + program).c_str(), X_OK) == 0) return true;
    }
    return false;
}

void run_program(const std::vector<std::string>& argv, const std::string& package) {
    if (!have_program(argv[0])) {
        throw Error(ErrorCode::NotFound,
                    "the program '" + argv[0] + "' is not installed",
                    "install the package " + package);
    }
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw_errno("making a pipe");
    const UniqueFd reader(pipe[0]);
    UniqueFd writer(pipe[1]);
    const pid_t child = spawn(argv, writer.get());
    writer.reset();
    const std::string output = read_to_end(reader.get());
    const int status = wait_for(child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    throw Error(ErrorCode::Internal,
                argv[0] + " " + describe_end(status) + ": " + output,
                "check the files that were given to it");
}

}  // namespace cfs::client
