// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

namespace cfs::client {

/// polkit's agent for a terminal, which asks there for an administrator's password while this
/// lives: a desktop has an agent of its own, a shell over SSH has none. It runs only for the system
/// bus, with somebody at the terminal who is not root, and steps back behind the desktop's. Where
/// it is not installed nobody is asked.
class PasswordAgent {
 public:
    /// \param bus as `--bus` \param allowed false: never
    PasswordAgent(const std::string& bus, bool allowed);

    /// Runs `program` whatever the terminal is, and waits until it is ready or has ended.
    explicit PasswordAgent(const char* program);
    PasswordAgent(const PasswordAgent&) = delete;
    PasswordAgent& operator=(const PasswordAgent&) = delete;
    ~PasswordAgent();

    [[nodiscard]] bool runs() const { return pid_ > 0; }

 private:
    void start(const char* program);

    pid_t pid_ = -1;
};

}  // namespace cfs::client
