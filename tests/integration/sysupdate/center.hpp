// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/sysupdate/names.hpp"
#include "dbus/bus_compat.hpp"

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace cfs::test {

inline constexpr const char* kManager = "org.freedesktop.sysupdate1.Manager";
inline constexpr const char* kTarget = "org.freedesktop.sysupdate1.Target";
inline constexpr const char* kJob = "org.freedesktop.sysupdate1.Job";
inline constexpr const char* kProperties = "org.freedesktop.DBus.Properties";

/// A software center: a connection of its own, whose thread writes down every signal of the
/// adapter in the order in which it comes.
class Center {
 public:
    struct Heard {
        std::string path;
        std::optional<std::uint32_t> progress;  ///< PropertiesChanged of a job
        std::optional<std::int32_t> removed;    ///< JobRemoved: its status
        std::uint64_t id = 0;                   ///< JobRemoved
    };

    struct Started {
        std::string version;
        std::uint64_t id = 0;
        std::string path;
    };

    explicit Center(const std::string& address, std::optional<uid_t> user = {});
    Center(const Center&) = delete;
    Center& operator=(const Center&) = delete;
    ~Center();

    /// Calls, and waits for so long as the real one does. \throws sdbus::Error
    template <typename... Results, typename... Args>
    std::tuple<Results...> call(std::chrono::milliseconds limit,
                                const char* path,
                                const char* interface,
                                const char* method,
                                const Args&... args) {
        const auto object = proxy(path);
        auto reply =
            object->callMethod(bus::make_call(*object, interface, method, false, args...), limit);
        std::tuple<Results...> results;
        std::apply([&](auto&... each) { static_cast<void>((reply >> ... >> each)); }, results);
        return results;
    }

    /// One result of a method of the target.
    template <typename Result, typename... Args>
    Result ask(std::chrono::milliseconds limit, const char* method, const Args&... args) {
        return std::get<0>(call<Result>(limit, sysupdate::kTargetPath, kTarget, method, args...));
    }

    /// Update, Acquire or Install.
    Started start(const char* method, const std::string& version);

    /// "ok", or the error's name.
    template <typename... Args>
    std::string outcome(const char* path,
                        const char* interface,
                        const char* method,
                        const Args&... args) {
        try {
            call<>(std::chrono::seconds(25), path, interface, method, args...);
            return "ok";
        } catch (const sdbus::Error& e) {
            return std::string(e.getName());
        }
    }

    bus::VariantMap properties(const std::string& path, const char* interface);

    std::string introspect(const char* path);

    /// Waits for the job's JobRemoved. \throws Internal when none came in fifteen seconds
    Heard wait_for_end(const std::string& path);

    std::vector<Heard> heard() const;

    std::unique_ptr<sdbus::IProxy> proxy(const std::string& path);

    [[nodiscard]] std::string name() const { return std::string(connection_->getUniqueName()); }

    void take_name(const std::string& name);

 private:
    void hear(sdbus::Message& message);

    std::unique_ptr<sdbus::IConnection> connection_;
    sdbus::Slot match_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Heard> heard_;
};

}  // namespace cfs::test
