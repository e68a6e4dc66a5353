// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dbus/bus_compat.hpp"

#include <sys/types.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <org.freedesktop.PolicyKit1.AuthenticationAgent.adaptor.hpp>
#include <string>
#include <vector>

namespace cfs::test {

/// What a desktop shows when polkit wants a password. Its person knows it, or dismisses the dialog,
/// or is away.
class FakeAgent final
    : public sdbus::AdaptorInterfaces<org::freedesktop::PolicyKit1::AuthenticationAgent_adaptor> {
 public:
    enum class Person { Knows, Dismisses, IsAway };

    /// Whose dialogs it shows.
    struct Process {
        pid_t pid;
        uid_t uid;
    };

    static std::unique_ptr<FakeAgent> make(const std::string& address,
                                           const std::vector<Process>& processes,
                                           Person person);
    FakeAgent(std::unique_ptr<sdbus::IConnection> connection, Person person);
    ~FakeAgent();

    struct Dialog {
        std::string action;
        std::string message;
        std::map<std::string, std::string> details;
        bool closed = false;  ///< by polkit
    };

    /// Waits until there were so many, ten seconds at most.
    std::vector<Dialog> dialogs(std::size_t count);

    /// Waits until so many were closed.
    bool wait_closed(std::size_t count);

 private:
    using Identity = sdbus::Struct<std::string, std::map<std::string, sdbus::Variant>>;

    void register_for(const Process& process);
    void BeginAuthentication(sdbus::Result<>&& result,
                             std::string action_id,
                             std::string message,
                             std::string icon_name,
                             std::map<std::string, std::string> details,
                             std::string cookie,
                             std::vector<Identity> identities) override;
    void CancelAuthentication(const std::string& cookie) override;
    void type_password(const std::string& cookie, const Identity& identity);

    struct Open {
        Dialog dialog;
        std::string cookie;
    };

    std::unique_ptr<sdbus::IConnection> connection_;
    std::unique_ptr<sdbus::IProxy> authority_;
    Person person_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Open> seen_;
    std::map<std::string, sdbus::Result<>> waiting_;
};

}  // namespace cfs::test
