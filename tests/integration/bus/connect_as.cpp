// SPDX-License-Identifier: Apache-2.0
#include "connect_as.hpp"

#include "base/error.hpp"

#include <sys/syscall.h>
#include <unistd.h>

namespace cfs::test {

/// The bus knows its clients by the effective user id that connect() had. Only this thread's
/// changes, which is what the system call does and the C library does not.
std::unique_ptr<sdbus::IConnection> connect_as(const std::string& address, uid_t user) {
    const auto become = [](uid_t id) {
        if (::syscall(SYS_setresuid, -1, id, -1) != 0) throw_errno("changing the user id");
    };
    const uid_t before = ::geteuid();
    become(user);
    std::unique_ptr<sdbus::IConnection> connection;
    try {
        connection = bus::connect(address);
    } catch (...) {
        become(before);
        throw;
    }
    become(before);
    return connection;
}

}  // namespace cfs::test
