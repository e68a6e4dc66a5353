// SPDX-License-Identifier: Apache-2.0
#include "fake_agent.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <utility>

namespace cfs::test {
namespace {

constexpr const char* kAuthority = "org.freedesktop.PolicyKit1.Authority";

/// Field 22 of /proc/PID/stat; the second one is a name in brackets.
std::uint64_t start_time(pid_t pid) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(in, text);
    std::istringstream fields(text.substr(text.rfind(')') + 1));
    std::string skipped;
    for (int i = 3; i < 22; ++i)
        fields >> skipped;
    std::uint64_t time = 0;
    fields >> time;
    return time;
}

}  // namespace

std::unique_ptr<FakeAgent> FakeAgent::make(const std::string& address,
                                           const std::vector<Process>& processes,
                                           Person person) {
    auto agent = std::make_unique<FakeAgent>(bus::connect(address), person);
    for (const Process& process : processes)
        agent->register_for(process);
    return agent;
}

FakeAgent::FakeAgent(std::unique_ptr<sdbus::IConnection> connection, Person person)
    : AdaptorInterfaces(*connection, sdbus::ObjectPath{"/agent"}),
      connection_(std::move(connection)),
      person_(person) {
    registerAdaptor();
    authority_ = sdbus::createProxy(*connection_,
                                    bus::ServiceName{"org.freedesktop.PolicyKit1"},
                                    sdbus::ObjectPath{"/org/freedesktop/PolicyKit1/Authority"});
    bus::finish_registration(*authority_);
    connection_->enterEventLoopAsync();
}

FakeAgent::~FakeAgent() {
    connection_->leaveEventLoop();
    unregisterAdaptor();
    waiting_.clear();
}

void FakeAgent::register_for(const Process& process) {
    const sdbus::Struct<std::string, bus::VariantMap> subject{
        std::string("unix-process"),
        bus::VariantMap{{"pid", sdbus::Variant{static_cast<std::uint32_t>(process.pid)}},
                        {"start-time", sdbus::Variant{start_time(process.pid)}},
                        {"uid", sdbus::Variant{static_cast<std::int32_t>(process.uid)}}}};
    authority_->callMethod("RegisterAuthenticationAgent")
        .onInterface(kAuthority)
        .withArguments(subject, std::string("C"), std::string("/agent"));
}

void FakeAgent::BeginAuthentication(sdbus::Result<>&& result,
                                    std::string action_id,
                                    std::string message,
                                    std::string,
                                    std::map<std::string, std::string> details,
                                    std::string cookie,
                                    std::vector<Identity> identities) {
    {
        const std::lock_guard lock(mutex_);
        seen_.push_back(
            {{std::move(action_id), std::move(message), std::move(details), false}, cookie});
        changed_.notify_all();
    }
    switch (person_) {
        case Person::IsAway:
            waiting_.emplace(cookie, std::move(result));
            return;
        case Person::Dismisses:
            result.returnError(
                bus::make_error("org.freedesktop.PolicyKit1.Error.Cancelled", "dismissed"));
            return;
        case Person::Knows:
            type_password(cookie, identities.at(0));
            result.returnResults();
    }
}

/// polkit's own helper does this when the password is right; only root is believed. Without the
/// agent's user: this one is root's, for a process of another, and polkit 126 takes that other's.
void FakeAgent::type_password(const std::string& cookie, const Identity& identity) {
    authority_->callMethod("AuthenticationAgentResponse")
        .onInterface(kAuthority)
        .withArguments(cookie, identity);
}

void FakeAgent::CancelAuthentication(const std::string& cookie) {
    const auto waiting = waiting_.find(cookie);
    if (waiting != waiting_.end()) {
        waiting->second.returnError(
            bus::make_error("org.freedesktop.PolicyKit1.Error.Cancelled", "closed"));
        waiting_.erase(waiting);
    }
    const std::lock_guard lock(mutex_);
    for (Open& open : seen_)
        open.dialog.closed = open.dialog.closed || open.cookie == cookie;
    changed_.notify_all();
}

std::vector<FakeAgent::Dialog> FakeAgent::dialogs(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return seen_.size() >= count; });
    std::vector<Dialog> out;
    for (const Open& open : seen_)
        out.push_back(open.dialog);
    return out;
}

bool FakeAgent::wait_closed(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] {
        return static_cast<std::size_t>(std::count_if(
                   seen_.begin(), seen_.end(), [](const Open& o) { return o.dialog.closed; })) >=
               count;
    });
}

}  // namespace cfs::test
