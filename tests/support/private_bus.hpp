// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "integration/client/child.hpp"
#include "support/temp_dir.hpp"

#include <memory>
#include <string>
#include <vector>

namespace cfs::test {

/// A dbus-daemon of its own on a socket in a temporary directory; gone with this object.
class PrivateBus {
 public:
    /// Like a session bus: everybody who can reach the socket may do everything.
    PrivateBus();

    /// Like the system bus: closed except for what `policy_file` opens. Any user reaches the
    /// socket.
    explicit PrivateBus(const std::string& policy_file,
                        const std::vector<std::string>& more_policy_files = {});

    /// "unix:path=..."
    [[nodiscard]] const std::string& address() const { return address_; }

    /// Ends the bus daemon under its clients.
    void kill();

    /// Runs busctl on this bus.
    [[nodiscard]] Ended busctl(const std::vector<std::string>& args) const;

 private:
    void start(const std::string& policy);

    TempDir dir_;
    std::string address_;
    std::unique_ptr<Child> daemon_;
};

}  // namespace cfs::test
