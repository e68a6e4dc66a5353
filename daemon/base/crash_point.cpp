// SPDX-License-Identifier: Apache-2.0
#include "base/crash_point.hpp"

#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

namespace cfs {
namespace {

std::string variable(const char* name) {
    const char* value = ::secure_getenv(name);
    return value != nullptr ? value : "";
}

}  // namespace

void crash_point(std::string_view name) {
    static const std::string wanted = variable("CFS_CRASH_POINT");
    static const std::string trace = variable("CFS_CRASH_TRACE");
    if (!trace.empty()) {
        const UniqueFd fd(::open(trace.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
        const std::string line = std::string(name) + "\n";
        if (fd) (void)!::write(fd.get(), line.data(), line.size());
    }
    if (name == wanted) (void)::kill(::getpid(), SIGKILL);
}

}  // namespace cfs
