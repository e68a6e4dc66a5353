// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-bus.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace cfs::test {

/// NetworkManager, UPower and logind on a private bus, each there or not, and saying whatever a
/// test has it say: by hand on sd-bus, because a generated adaptor could not lie about types.
/// Thread-safe.
class FakeSystem {
 public:
    static constexpr const char* kNetwork = "org.freedesktop.NetworkManager";
    static constexpr const char* kPower = "org.freedesktop.UPower";
    static constexpr const char* kLogin = "org.freedesktop.login1";

    /// b, u, d, s
    using Value = std::variant<bool, std::uint32_t, double, std::string>;

    struct Inhibitor {
        std::string what, who, why, mode;
    };

    explicit FakeSystem(const std::string& address);
    FakeSystem(const FakeSystem&) = delete;
    FakeSystem& operator=(const FakeSystem&) = delete;
    ~FakeSystem();

    void appear(const char* name);
    void vanish(const char* name);

    /// Of the interface that has it; says that it changed.
    void set(const std::string& property, Value value);
    void set_inhibitors(std::vector<Inhibitor> inhibitors);

    /// logind's signal, whatever its property says.
    void prepare_for_shutdown();

    /// Calls from now on get no answer.
    void hang(bool hangs);

    /// Calls so far, "GetAll", "Inhibit shutdown block", "Reboot", ...
    [[nodiscard]] std::vector<std::string> calls() const;
    [[nodiscard]] std::size_t count(const std::string& call) const;

    /// Those that Inhibit gave out and that are still held: "shutdown block".
    [[nodiscard]] std::vector<std::string> held() const;

 private:
    static int handle(sd_bus_message* message, void* self, sd_bus_error*);
    int answer(sd_bus_message* call);
    void answer_all(sd_bus_message* call);
    void answer_list(sd_bus_message* call);
    void answer_inhibit(sd_bus_message* call);
    void changed(const char* path, const char* interface);
    void run(const std::stop_token& stop);

    mutable std::mutex mutex_;
    sd_bus* bus_ = nullptr;
    std::map<std::string, Value> values_;
    std::vector<Inhibitor> inhibitors_;
    std::vector<std::string> calls_;
    std::vector<std::pair<int, std::string>> pipes_;
    bool hangs_ = false;
    std::jthread thread_;
};

}  // namespace cfs::test
