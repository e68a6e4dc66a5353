// SPDX-License-Identifier: Apache-2.0
#include "fake_system.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace cfs::test {
namespace {

struct Place {
    const char* path;
    const char* interface;
};

constexpr Place kNetworkPlace{"/org/freedesktop/NetworkManager", "org.freedesktop.NetworkManager"};
constexpr Place kPowerPlace{"/org/freedesktop/UPower", "org.freedesktop.UPower"};
constexpr Place kBatteryPlace{"/org/freedesktop/UPower/devices/DisplayDevice",
                              "org.freedesktop.UPower.Device"};
constexpr Place kLoginPlace{"/org/freedesktop/login1", "org.freedesktop.login1.Manager"};

const std::map<std::string, Place>& places() {
    static const std::map<std::string, Place> all = {{"Metered", kNetworkPlace},
                                                     {"OnBattery", kPowerPlace},
                                                     {"Percentage", kBatteryPlace},
                                                     {"IsPresent", kBatteryPlace},
                                                     {"IdleHint", kLoginPlace},
                                                     {"PreparingForShutdown", kLoginPlace}};
    return all;
}

void require(int result, const char* doing) {
    if (result < 0) throw std::runtime_error(std::string(doing) + ": " + std::to_string(result));
}

void append(sd_bus_message* message, const FakeSystem::Value& value) {
    if (const auto* flag = std::get_if<bool>(&value)) {
        sd_bus_message_append(message, "v", "b", int(*flag));
    } else if (const auto* number = std::get_if<std::uint32_t>(&value)) {
        sd_bus_message_append(message, "v", "u", *number);
    } else if (const auto* real = std::get_if<double>(&value)) {
        sd_bus_message_append(message, "v", "d", *real);
    } else {
        sd_bus_message_append(message, "v", "s", std::get<std::string>(value).c_str());
    }
}

}  // namespace

FakeSystem::FakeSystem(const std::string& address) {
    require(sd_bus_new(&bus_), "making a bus");
    require(sd_bus_set_address(bus_, address.c_str()), "setting its address");
    require(sd_bus_set_bus_client(bus_, 1), "being a client");
    require(sd_bus_start(bus_), "connecting");
    require(sd_bus_add_filter(bus_, nullptr, handle, this), "listening");
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

FakeSystem::~FakeSystem() {
    thread_.request_stop();
    thread_.join();
    for (const auto& [fd, name] : pipes_)
        ::close(fd);
    sd_bus_flush_close_unref(bus_);
}

void FakeSystem::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        {
            const std::lock_guard lock(mutex_);
            while (sd_bus_process(bus_, nullptr) > 0) {
            }
            sd_bus_flush(bus_);
        }
        pollfd wait{sd_bus_get_fd(bus_), POLLIN, 0};
        ::poll(&wait, 1, 2);
    }
}

void FakeSystem::appear(const char* name) {
    const std::lock_guard lock(mutex_);
    require(sd_bus_request_name(bus_, name, 0), "taking a name");
}

void FakeSystem::vanish(const char* name) {
    const std::lock_guard lock(mutex_);
    require(sd_bus_release_name(bus_, name), "giving a name up");
}

void FakeSystem::set(const std::string& property, Value value) {
    const std::lock_guard lock(mutex_);
    values_[property] = std::move(value);
    changed(places().at(property).path, places().at(property).interface);
}

void FakeSystem::set_inhibitors(std::vector<Inhibitor> inhibitors) {
    const std::lock_guard lock(mutex_);
    inhibitors_ = std::move(inhibitors);
    changed(kLoginPlace.path, kLoginPlace.interface);
}

void FakeSystem::changed(const char* path, const char* interface) {
    sd_bus_message* signal = nullptr;
    require(sd_bus_message_new_signal(
                bus_, &signal, path, "org.freedesktop.DBus.Properties", "PropertiesChanged"),
            "a signal");
    sd_bus_message_append(signal, "sa{sv}as", interface, 0U, 0U);
    sd_bus_send(bus_, signal, nullptr);
    sd_bus_message_unref(signal);
}

void FakeSystem::prepare_for_shutdown() {
    const std::lock_guard lock(mutex_);
    sd_bus_emit_signal(bus_, kLoginPlace.path, kLoginPlace.interface, "PrepareForShutdown", "b", 1);
}

void FakeSystem::hang(bool hangs) {
    const std::lock_guard lock(mutex_);
    hangs_ = hangs;
}

std::vector<std::string> FakeSystem::calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
}

std::size_t FakeSystem::count(const std::string& call) const {
    const std::vector<std::string> all = calls();
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), call));
}

/// Whose other end is closed is let go.
std::vector<std::string> FakeSystem::held() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (const auto& [fd, name] : pipes_) {
        pollfd state{fd, 0, 0};
        ::poll(&state, 1, 0);
        if ((state.revents & POLLHUP) == 0) out.push_back(name);
    }
    return out;
}

int FakeSystem::handle(sd_bus_message* message, void* self, sd_bus_error*) {
    std::uint8_t type = 0;
    sd_bus_message_get_type(message, &type);
    if (type != SD_BUS_MESSAGE_METHOD_CALL) return 0;
    return static_cast<FakeSystem*>(self)->answer(message);
}

int FakeSystem::answer(sd_bus_message* call) {
    const std::string member = sd_bus_message_get_member(call);
    std::uint64_t flags = 0;
    if (member == "RebootWithFlags") sd_bus_message_read(call, "t", &flags);
    if (member != "Inhibit")
        calls_.push_back(member + (flags != 0 ? " " + std::to_string(flags) : ""));
    if (hangs_) return 1;
    if (member == "GetAll") {
        answer_all(call);
    } else if (member == "ListInhibitors") {
        answer_list(call);
    } else if (member == "Inhibit") {
        answer_inhibit(call);
    } else if (member == "RebootWithFlags" && !inhibitors_.empty()) {
        sd_bus_reply_method_errorf(call,
                                   "org.freedesktop.login1.BlockedByInhibitorLock",
                                   "Operation denied due to active block inhibitor");
    } else {
        sd_bus_reply_method_return(call, "");
    }
    return 1;
}

void FakeSystem::answer_all(sd_bus_message* call) {
    const char* interface = nullptr;
    sd_bus_message_read(call, "s", &interface);
    sd_bus_message* reply = nullptr;
    sd_bus_message_new_method_return(call, &reply);
    sd_bus_message_open_container(reply, 'a', "{sv}");
    for (const auto& [name, value] : values_) {
        if (std::string(places().at(name).interface) != interface) continue;
        sd_bus_message_open_container(reply, 'e', "sv");
        sd_bus_message_append(reply, "s", name.c_str());
        append(reply, value);
        sd_bus_message_close_container(reply);
    }
    sd_bus_message_close_container(reply);
    sd_bus_send(bus_, reply, nullptr);
    sd_bus_message_unref(reply);
}

void FakeSystem::answer_list(sd_bus_message* call) {
    sd_bus_message* reply = nullptr;
    sd_bus_message_new_method_return(call, &reply);
    sd_bus_message_open_container(reply, 'a', "(ssssuu)");
    for (const Inhibitor& each : inhibitors_) {
        sd_bus_message_append(reply,
                              "(ssssuu)",
                              each.what.c_str(),
                              each.who.c_str(),
                              each.why.c_str(),
                              each.mode.c_str(),
                              1000U,
                              1U);
    }
    sd_bus_message_close_container(reply);
    sd_bus_send(bus_, reply, nullptr);
    sd_bus_message_unref(reply);
}

void FakeSystem::answer_inhibit(sd_bus_message* call) {
    const char *what = nullptr, *who = nullptr, *why = nullptr, *mode = nullptr;
    sd_bus_message_read(call, "ssss", &what, &who, &why, &mode);
    const std::string name = std::string(what) + " " + mode;
    calls_.push_back("Inhibit " + name);
    int ends[2];
    require(::pipe2(ends, O_CLOEXEC), "a pipe");
    // The reader sees when the last writer is gone.
    pipes_.emplace_back(ends[0], name);
    sd_bus_reply_method_return(call, "h", ends[1]);
    ::close(ends[1]);
}

}  // namespace cfs::test
