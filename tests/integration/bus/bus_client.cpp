// SPDX-License-Identifier: Apache-2.0
#include "bus_client.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "connect_as.hpp"

#include <algorithm>
#include <utility>

namespace cfs::test {

BusClient::BusClient(const std::string& address) : BusClient(bus::connect(address)) {}

BusClient::BusClient(const std::string& address, uid_t user)
    : BusClient(connect_as(address, user)) {}

BusClient::BusClient(std::unique_ptr<sdbus::IConnection> connection)
    : connection_(std::move(connection)) {
    const std::string ours = "type='signal',path_namespace='/org/cfsupdate1'";
    const auto note = [this](auto&& message) { hear(message); };
#if CFS_SDBUS_MAJOR >= 2
    match_ = connection_->addMatch(ours, note, sdbus::return_slot);
#else
    match_ = connection_->addMatch(ours, note);
#endif
    connection_->enterEventLoopAsync();
}

BusClient::~BusClient() {
    connection_->leaveEventLoop();
}

void BusClient::hear(sdbus::Message& message) {
    Heard heard;
    heard.when = std::chrono::steady_clock::now();
    heard.path = message.getPath();
    heard.member = message.getMemberName();
    std::string kind;
    if (heard.member == "PropertiesChanged") {
        message >> kind >> heard.changed;
    } else if (heard.member == "JobRemoved") {
        std::uint64_t id = 0;
        sdbus::ObjectPath job;
        message >> id >> job >> kind >> heard.state >> heard.changed;
        heard.path = job;
    } else if (heard.member == "JobNew") {
        std::uint64_t id = 0;
        sdbus::ObjectPath job;
        message >> id >> job;
        heard.path = job;
    }
    const std::lock_guard lock(mutex_);
    heard_.push_back(std::move(heard));
    changed_.notify_all();
}

std::unique_ptr<sdbus::IProxy> BusClient::proxy(const std::string& path) {
    return sdbus::createProxy(*connection_, bus::ServiceName{bus::kName}, sdbus::ObjectPath{path});
}

std::string BusClient::start(const std::string& method, const bus::VariantMap& options) {
    sdbus::ObjectPath job;
    proxy(bus::kManagerPath)
        ->callMethod(method)
        .onInterface(bus::kManagerInterface)
        .withArguments(options)
        .storeResultsTo(job);
    return job;
}

std::string BusClient::call_bare(const std::string& path,
                                 const std::string& interface,
                                 const std::string& method) {
    try {
        (void)bus::call(*proxy(path), interface.c_str(), method, false);
        return "ok";
    } catch (const sdbus::Error& e) {
        return std::string(e.getName()) + ": " + std::string(e.getMessage());
    }
}

std::string BusClient::call_with_options(const std::string& method,
                                         const bus::VariantMap& options) {
    try {
        (void)bus::call(*proxy(bus::kManagerPath), bus::kManagerInterface, method, false, options);
        return "ok";
    } catch (const sdbus::Error& e) {
        return std::string(e.getName()) + ": " + std::string(e.getMessage());
    }
}

UniqueFd BusClient::inhibit(const bus::VariantMap& options) {
    const auto manager = proxy(bus::kManagerPath);
    auto reply = bus::call(*manager, bus::kManagerInterface, "Inhibit", false, options);
    sdbus::UnixFd fd;
    reply >> fd;
    return duplicate_fd(fd.get());
}

std::vector<bus::VariantMap> BusClient::history(const bus::VariantMap& options) {
    auto reply =
        bus::call(*proxy(bus::kManagerPath), bus::kManagerInterface, "History", false, options);
    std::vector<bus::VariantMap> entries;
    reply >> entries;
    return entries;
}

void BusClient::take_name(const std::string& name) {
    connection_->requestName(bus::ServiceName{name});
}

void BusClient::cancel(const std::string& job) {
    proxy(job)->callMethod("Cancel").onInterface(bus::kJobInterface);
}

void BusClient::cancel_active() {
    proxy(bus::kManagerPath)
        ->callMethod("Cancel")
        .onInterface(bus::kManagerInterface)
        .withArguments(bus::VariantMap{});
}

bus::VariantMap BusClient::properties(const std::string& path, const std::string& interface) {
    bus::VariantMap all;
    proxy(path)
        ->callMethod("GetAll")
        .onInterface("org.freedesktop.DBus.Properties")
        .withArguments(interface)
        .storeResultsTo(all);
    return all;
}

std::string BusClient::introspect(const std::string& path) {
    std::string xml;
    proxy(path)
        ->callMethod("Introspect")
        .onInterface("org.freedesktop.DBus.Introspectable")
        .storeResultsTo(xml);
    return xml;
}

std::optional<Heard> BusClient::wait_for(const std::function<bool(const Heard&)>& fits) {
    std::unique_lock lock(mutex_);
    std::optional<Heard> found;
    changed_.wait_for(lock, std::chrono::seconds(10), [&] {
        const auto it = std::find_if(heard_.begin(), heard_.end(), fits);
        if (it != heard_.end()) found = *it;
        return found.has_value();
    });
    return found;
}

Heard BusClient::wait_for_end(const std::string& job) {
    const auto ended = wait_for(
        [&](const Heard& heard) { return heard.member == "JobRemoved" && heard.path == job; });
    if (!ended) throw Error(ErrorCode::Internal, "no JobRemoved for " + job);
    return *ended;
}

std::vector<Heard> BusClient::heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
}

}  // namespace cfs::test
