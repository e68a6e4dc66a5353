// SPDX-License-Identifier: Apache-2.0
// bus_caller ADDRESS UID FIFO: a process of a user with a connection of its own, because polkit
// judges callers by their process. Prints its unique name, then a line for each line of FIFO:
//   PATH INTERFACE METHOD ASK [KEY=TYPE:VALUE...]   calls it; ASK: 1 lets it ask for a password
//   PATH INTERFACE METHOD ASK -                     the same for a method that takes no options
//   flood N                                         N calls of Check at once
//   at SERVICE PATH INTERFACE METHOD ASK [TYPE:VALUE...]
//                                                   the same of another service, with s, t and i
#include "dbus/bus_compat.hpp"

#include <grp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>

namespace cfs::test {
namespace {

sdbus::Variant option_value(const std::string& type, const std::string& text) {
    if (type == "b") return sdbus::Variant{text == "1"};
    if (type == "t") return sdbus::Variant{std::uint64_t{std::stoull(text)}};
    if (type == "h") {
        const int fd = ::memfd_create("caller", MFD_CLOEXEC);
        return sdbus::Variant{sdbus::UnixFd{fd, sdbus::adopt_fd}};
    }
    return sdbus::Variant{text};
}

std::string one_line(const sdbus::Error& error) {
    std::string text = std::string(error.getName()) + ": " + std::string(error.getMessage());
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

class Caller {
 public:
    explicit Caller(const std::string& address) : connection_(bus::connect(address)) {
        connection_->enterEventLoopAsync();
        std::cout << std::string(connection_->getUniqueName()) << std::endl;
    }

    ~Caller() { connection_->leaveEventLoop(); }

    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;

    std::string answer(const std::string& line) {
        std::istringstream in(line);
        std::string path;
        in >> path;
        try {
            if (path == "at") return call_at(in);
            return path == "flood" ? flood(in) : call(path, in);
        } catch (const sdbus::Error& error) {
            return one_line(error);
        }
    }

 private:
    std::unique_ptr<sdbus::IProxy> proxy(const std::string& path) {
        return sdbus::createProxy(
            *connection_, bus::ServiceName{bus::kName}, sdbus::ObjectPath{path});
    }

    std::string call(const std::string& path, std::istringstream& in) {
        std::string interface;
        std::string method;
        bool ask = false;
        in >> interface >> method >> ask;
        bus::VariantMap options;
        bool without = false;
        for (std::string option; in >> option;) {
            const std::size_t equals = option.find('=');
            const std::size_t colon = option.find(':');
            without = without || option == "-";
            if (equals == std::string::npos) continue;
            options[option.substr(0, equals)] = option_value(
                option.substr(equals + 1, colon - equals - 1), option.substr(colon + 1));
        }
        const auto object = proxy(path);
        auto reply = without ? bus::call(*object, interface.c_str(), method, ask)
                             : bus::call(*object, interface.c_str(), method, ask, options);
        sdbus::ObjectPath job;
        // A descriptor that Inhibit gives goes with the reply.
        const bool is_job = method != "Cancel" && method != "Inhibit" && method != "History" &&
                            method != "SetPolicy" && method != "SoftReboot";
        if (!without && is_job) reply >> job;
        return "ok " + std::string(job);
    }

    /// "ok", and the object that a reply of that kind names.
    std::string call_at(std::istringstream& in) {
        std::string service;
        std::string path;
        std::string interface;
        std::string method;
        bool ask = false;
        in >> service >> path >> interface >> method >> ask;
        const auto object =
            sdbus::createProxy(*connection_, bus::ServiceName{service}, sdbus::ObjectPath{path});
        auto message = bus::make_call(*object, interface.c_str(), method, ask);
        for (std::string word; in >> word;) {
            const std::string value = word.substr(2);
            if (word[0] == 't') {
                message << std::uint64_t{std::stoull(value)};
            } else if (word[0] == 'i') {
                message << std::int32_t{std::stoi(value)};
            } else {
                message << value;
            }
        }
        auto reply = object->callMethod(message, bus::call_patience(ask));
        const char* const signature = sd_bus_message_get_signature(bus::RawMessage::of(reply), 1);
        if (signature == nullptr || std::string(signature) != "sto") return "ok ";
        std::string version;
        std::uint64_t id = 0;
        sdbus::ObjectPath job;
        reply >> version >> id >> job;
        return "ok " + std::string(job);
    }

    /// "ANSWERED BUSY": of so many calls how many were answered, and how many of these with Busy.
    std::string flood(std::istringstream& in) {
        int calls = 0;
        in >> calls;
        const auto object = proxy(bus::kManagerPath);
        std::mutex mutex;
        std::condition_variable changed;
        int answered = 0;
        int busy = 0;
        const auto note = [&](bus::CallError failed, const sdbus::ObjectPath&) {
            const std::lock_guard lock(mutex);
            ++answered;
            if (failed && std::string(failed->getName()) == "org.cfsupdate1.Error.Busy") ++busy;
            changed.notify_all();
        };
        // All of them are on their way before the first answer is read.
        connection_->leaveEventLoop();
        for (int i = 0; i < calls; ++i) {
            object->callMethodAsync("Check")
                .onInterface(bus::kManagerInterface)
                .withArguments(bus::VariantMap{})
                .uponReplyInvoke(note);
        }
        connection_->enterEventLoopAsync();
        std::unique_lock lock(mutex);
        changed.wait_for(lock, std::chrono::seconds(10), [&] { return answered == calls; });
        return std::to_string(answered) + " " + std::to_string(busy);
    }

    std::unique_ptr<sdbus::IConnection> connection_;
};

}  // namespace
}  // namespace cfs::test

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    const auto user = static_cast<uid_t>(std::stoul(argv[2]));
    if (::setgroups(0, nullptr) != 0 || ::setgid(user) != 0 || ::setuid(user) != 0) return 3;
    try {
        cfs::test::Caller caller(argv[1]);
        std::ifstream commands(argv[3]);
        for (std::string line; std::getline(commands, line);)
            std::cout << caller.answer(line) << std::endl;
    } catch (const std::exception& e) {
        std::cerr << e.what() << std::endl;
        return 1;
    }
}
