// SPDX-License-Identifier: Apache-2.0
// bus_load ADDRESS CLIENTS RATE SECONDS: so many connections call the daemon so often, all of them
// together, and hear its signals; ends earlier on SIGTERM. Prints one JSON object: how long answers
// took, counted from when a call was due, so that a call which waits behind others is not
// flattered.
#include <systemd/sd-bus.h>

#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr const char* kName = "org.cfsupdate1";
constexpr const char* kPath = "/org/cfsupdate1";
constexpr const char* kManager = "org.cfsupdate1.Manager";
constexpr const char* kProperties = "org.freedesktop.DBus.Properties";
constexpr auto kPatience = 10s;

volatile sig_atomic_t asked_to_end = 0;

void require(int result, const char* what) {
    if (result >= 0) return;
    std::fprintf(stderr, "bus_load: %s: error %d\n", what, -result);
    std::exit(1);
}

struct Closed {
    void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
};

using Connection = std::unique_ptr<sd_bus, Closed>;

struct Tally {
    std::vector<double> milliseconds;
    std::map<std::string, std::uint64_t> errors;
    std::uint64_t signals = 0;
    std::uint64_t open = 0;
};

Tally tally;

int answered(sd_bus_message* reply, void* due, sd_bus_error*) {
    const std::unique_ptr<Clock::time_point> since(static_cast<Clock::time_point*>(due));
    tally.milliseconds.push_back(
        std::chrono::duration<double, std::milli>(Clock::now() - *since).count());
    --tally.open;
    if (const sd_bus_error* error = sd_bus_message_get_error(reply)) ++tally.errors[error->name];
    return 0;
}

int heard(sd_bus_message*, void*, sd_bus_error*) {
    ++tally.signals;
    return 0;
}

Connection connect(const char* address) {
    sd_bus* bus = nullptr;
    require(sd_bus_new(&bus), "connecting");
    Connection out(bus);
    require(sd_bus_set_address(bus, address), "connecting");
    require(sd_bus_set_bus_client(bus, 1), "connecting");
    require(sd_bus_start(bus), "connecting");
    require(sd_bus_add_match(
                bus, nullptr, "type='signal',path_namespace='/org/cfsupdate1'", heard, nullptr),
            "listening");
    return out;
}

/// What clients do: mostly they read one property or all, sometimes history or the objects; and
/// what they do wrong.
void call(sd_bus* bus, std::uint64_t number, Clock::time_point due) {
    const std::uint64_t kind = number % 20;
    auto since = std::make_unique<Clock::time_point>(due);
    int result = 0;
    const auto go = [&](const char* interface,
                        const char* member,
                        const char* types,
                        auto... args) {
        result = sd_bus_call_method_async(
            bus, nullptr, kName, kPath, interface, member, answered, since.get(), types, args...);
    };
    if (kind < 9) {
        go(kProperties, "Get", "ss", kManager, "State");
    } else if (kind < 16) {
        go(kProperties, "GetAll", "s", kManager);
    } else if (kind < 18) {
        go(kManager, "History", "a{sv}", 1, "limit", "t", std::uint64_t{5});
    } else if (kind < 19) {
        go("org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "");
    } else {
        go(kManager, "Check", "a{sv}", 1, "image", "b", 1);  // refused: a b where an s belongs
    }
    require(result, "calling");
    static_cast<void>(since.release());  // answered() has it
    ++tally.open;
}

class Load {
 public:
    Load(const char* address, std::size_t clients, double rate) : gap_(1s / rate) {
        for (std::size_t i = 0; i < clients; ++i) {
            connections_.push_back(connect(address));
            polls_.push_back({sd_bus_get_fd(connections_.back().get()), POLLIN, 0});
        }
    }

    /// Returns what was not answered.
    std::uint64_t run(double seconds) {
        const auto start = Clock::now();
        const auto end = start + std::chrono::duration_cast<Clock::duration>(
                                     std::chrono::duration<double>(seconds));
        std::uint64_t sent = 0;
        while (asked_to_end == 0 && Clock::now() < end) {
            const auto due = [&] {
                return start + std::chrono::duration_cast<Clock::duration>(gap_ * sent);
            };
            for (; due() <= Clock::now(); ++sent)
                call(connections_[sent % connections_.size()].get(), sent, due());
            serve(due());
        }
        const auto last = Clock::now() + kPatience;
        while (tally.open > 0 && Clock::now() < last)
            serve(Clock::now() + 10ms);
        return tally.open;
    }

 private:
    void serve(Clock::time_point until) {
        auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(until - Clock::now());
        for (std::size_t i = 0; i < polls_.size(); ++i) {
            polls_[i].events = static_cast<short>(sd_bus_get_events(connections_[i].get()));
            // Nothing to wait for: something was read before, while a call waited for its answer.
            if (polls_[i].events == 0) left = 0ns;
        }
        const timespec wait{0, std::clamp<long>(left.count(), 0, 100'000'000)};
        static_cast<void>(::ppoll(polls_.data(), polls_.size(), &wait, nullptr));
        for (std::size_t i = 0; i < polls_.size(); ++i) {
            if (polls_[i].revents == 0 && polls_[i].events != 0) continue;
            int more = 0;
            while ((more = sd_bus_process(connections_[i].get(), nullptr)) > 0) {
            }
            require(more, "reading answers");
        }
    }

    std::chrono::duration<double> gap_;
    std::vector<Connection> connections_;
    std::vector<pollfd> polls_;
};

double percentile(const std::vector<double>& sorted, double share) {
    if (sorted.empty()) return 0;
    const double rank = std::ceil(share * static_cast<double>(sorted.size()));
    return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

void print(std::uint64_t lost) {
    std::vector<double>& all = tally.milliseconds;
    std::sort(all.begin(), all.end());
    const auto late = all.end() - std::upper_bound(all.begin(), all.end(), 100.0);
    std::printf("{\"answers\":%zu,\"unanswered\":%llu,\"signals\":%llu,\"late\":%td",
                all.size(),
                static_cast<unsigned long long>(lost),
                static_cast<unsigned long long>(tally.signals),
                late);
    constexpr std::array<std::pair<const char*, double>, 5> kShares{
        {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1}}};
    for (const auto& [name, share] : kShares)
        std::printf(",\"%s\":%.3f", name, percentile(all, share));
    std::printf(",\"errors\":{");
    const char* comma = "";
    for (const auto& [name, count] : tally.errors) {
        std::printf("%s\"%s\":%llu", comma, name.c_str(), static_cast<unsigned long long>(count));
        comma = ",";
    }
    std::printf("}}\n");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fprintf(stderr, "usage: bus_load ADDRESS CLIENTS RATE SECONDS\n");
        return 2;
    }
    ::signal(SIGTERM, [](int) { asked_to_end = 1; });
    Load load(argv[1], std::strtoul(argv[2], nullptr, 10), std::strtod(argv[3], nullptr));
    std::printf("ready\n");
    std::fflush(stdout);
    print(load.run(std::strtod(argv[4], nullptr)));
}
