// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fake_agent.hpp"
#include "service_site.hpp"
#include "support/temp_dir.hpp"

#include <sys/types.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace cfs::test {

/// Users as polkit tells them apart. Any that the machine's passwd has do; these always are there.
struct User {
    const char* name;  ///< of the column in tables
    uid_t uid;
    const char* session;  ///< "": none, like a cron job's
};

inline constexpr User kRoot{"root", 0, ""};
inline constexpr User kActive{"active", 1, "c1"};      ///< sits at the machine
inline constexpr User kInactive{"inactive", 2, "c2"};  ///< sat there, and somebody else does now
inline constexpr User kAbsent{"no session", 3, ""};

/// A process of a user, with one connection.
class Caller {
 public:
    Caller(const TempDir& dir, const std::string& address, const User& user);

    /// The answer in one line: "ok JOB", or the error's name and text.
    std::string tell(const std::string& line);

    /// Sends it and does not wait.
    void start(const std::string& line) { *commands_ << line << std::endl; }

    /// What start() came to.
    std::string answer();

    /// A method of the Manager. \param options "image=s:oci:/x finalize=b:0"
    std::string call(const std::string& method, const std::string& options = "", bool ask = false);

    [[nodiscard]] const User& user() const { return user_; }

    [[nodiscard]] pid_t pid() const { return process_->pid(); }

    [[nodiscard]] FakeAgent::Process process() const { return {pid(), user_.uid}; }

    void kill();

 private:
    User user_;
    std::unique_ptr<Child> process_;
    std::unique_ptr<std::ofstream> commands_;
};

/// The service with the shipped policies on a bus like the system's, callers on it, and the real
/// polkitd, which sees sessions that nobody has: records as logind writes them in a mount namespace
/// of its own. Needs root and polkitd.
class PolkitSite {
 public:
    /// Without polkitd so far, and without callers.
    /// \param more "NAME": with the bus policy NAME.conf and the actions NAME.policy, too
    explicit PolkitSite(bool finalize_by_default = true,
                        service::CallerCheck::Config callers = {},
                        const std::vector<std::string>& more = {});

    /// Why it cannot be here; "" when it can.
    static std::string missing();

    /// Before start_polkit().
    Caller& add(const User& user);

    /// \param rules JavaScript as in /etc/polkit-1/rules.d
    void start_polkit(const std::string& rules = "");

    ServiceSite service;

 private:
    TempDir dir_;
    std::vector<std::string> names_;
    std::vector<std::unique_ptr<Caller>> callers_;
    std::unique_ptr<Child> polkitd_;
};

}  // namespace cfs::test
