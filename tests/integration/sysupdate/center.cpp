// SPDX-License-Identifier: Apache-2.0
#include "center.hpp"

#include "base/error.hpp"
#include "connect_as.hpp"

#include <algorithm>

namespace cfs::test {

using namespace std::chrono_literals;

Center::Center(const std::string& address, std::optional<uid_t> user)
    : connection_(user ? connect_as(address, *user) : bus::connect(address)) {
    match_ = bus::add_match(*connection_,
                            "type='signal',path_namespace='/org/freedesktop/sysupdate1'",
                            [this](sdbus::Message& message) { hear(message); });
    connection_->enterEventLoopAsync();
}

Center::~Center() {
    connection_->leaveEventLoop();
}

void Center::hear(sdbus::Message& message) {
    const std::string member = message.getMemberName();
    Heard heard;
    heard.path = message.getPath();
    if (member == "PropertiesChanged") {
        std::string interface;
        bus::VariantMap changed;
        message >> interface >> changed;
        heard.progress = changed.at("Progress").get<std::uint32_t>();
    } else if (member == "JobRemoved") {
        sdbus::ObjectPath path;
        std::int32_t status = 0;
        message >> heard.id >> path >> status;
        heard.path = path;
        heard.removed = status;
    }
    const std::lock_guard lock(mutex_);
    heard_.push_back(std::move(heard));
    changed_.notify_all();
}

std::unique_ptr<sdbus::IProxy> Center::proxy(const std::string& path) {
    return sdbus::createProxy(
        *connection_, bus::ServiceName{sysupdate::kName}, sdbus::ObjectPath{path});
}

Center::Started Center::start(const char* method, const std::string& version) {
    const auto [found, id, path] = call<std::string, std::uint64_t, sdbus::ObjectPath>(
        20s, sysupdate::kTargetPath, kTarget, method, version, std::uint64_t{0});
    return {found, id, path};
}

bus::VariantMap Center::properties(const std::string& path, const char* interface) {
    return std::get<0>(
        call<bus::VariantMap>(25s, path.c_str(), kProperties, "GetAll", std::string(interface)));
}

std::string Center::introspect(const char* path) {
    return std::get<0>(
        call<std::string>(25s, path, "org.freedesktop.DBus.Introspectable", "Introspect"));
}

Center::Heard Center::wait_for_end(const std::string& path) {
    std::unique_lock lock(mutex_);
    std::optional<Heard> found;
    changed_.wait_for(lock, 15s, [&] {
        const auto it = std::find_if(heard_.begin(), heard_.end(), [&](const Heard& heard) {
            return heard.removed && heard.path == path;
        });
        if (it != heard_.end()) found = *it;
        return found.has_value();
    });
    if (!found) throw Error(ErrorCode::Internal, "no JobRemoved for " + path);
    return *found;
}

std::vector<Center::Heard> Center::heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
}

void Center::take_name(const std::string& name) {
    connection_->requestName(bus::ServiceName{name});
}

}  // namespace cfs::test
