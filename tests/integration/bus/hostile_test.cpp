// SPDX-License-Identifier: Apache-2.0
// Clients that mean harm: what they ask for is refused or bounded, the daemon does not grow, and
// others are answered.
#include "bus_client.hpp"
#include "service_site.hpp"
#include "support/sanitized.hpp"

#include <gtest/gtest.h>

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

namespace cfs::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMiB = std::size_t{1} << 20;

/// What the bus keeps for others to read counts against who sent it; so much, and it reads no more.
constexpr const char* kNarrow = "<limit name=\"max_incoming_bytes\">1000000</limit>";

/// As on a session bus: of a system bus's 128 calls that wait for an answer two hundred clients
/// would make what one does here.
std::string bus_policy(const std::string& limits = {}) {
    return "<busconfig>" + limits +
           "<limit name=\"max_replies_per_connection\">50000</limit>"
           "<policy context=\"default\"><allow send_destination=\"*\"/><allow own=\"*\"/></policy>"
           "</busconfig>\n";
}

struct CloseBus {
    void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
};

/// A connection that sends and does not read. Its destructor takes it off the bus.
class DeafClient {
 public:
    explicit DeafClient(const std::string& address) {
        sd_bus* bus = nullptr;
        require(sd_bus_new(&bus));
        bus_.reset(bus);
        require(sd_bus_set_address(bus, address.c_str()));
        require(sd_bus_set_bus_client(bus, 1));
        require(sd_bus_start(bus));
        const char* name = nullptr;
        require(sd_bus_get_unique_name(bus, &name));
    }

    void ask_for_everything() {
        send("org.freedesktop.DBus.Properties", "GetAll", "s", bus::kManagerInterface);
    }

    void check() { send(bus::kManagerInterface, "Check", "a{sv}", 0); }

 private:
    template <typename T>
    void send(const char* interface, const char* method, const char* types, T argument) {
        require(sd_bus_call_method_async(bus_.get(),
                                         nullptr,
                                         bus::kName,
                                         bus::kManagerPath,
                                         interface,
                                         method,
                                         never_called,  // without it no answer is expected
                                         nullptr,
                                         types,
                                         argument));
        require(sd_bus_flush(bus_.get()));
    }

    static int never_called(sd_bus_message*, void*, sd_bus_error*) { return 0; }

    static void require(int result) {
        if (result < 0) throw std::system_error(-result, std::generic_category(), "deaf client");
    }

    std::unique_ptr<sd_bus, CloseBus> bus_;
};

/// The daemon as a process, so that its memory is its own.
class BusHostile : public testing::Test {
 protected:
    void start(const std::string& limits = {}) {
        dir_.write("c.toml", "image = \"slow\"\n");
        dir_.write("bus.conf", bus_policy(limits));
        bus_ = std::make_unique<PrivateBus>(dir_ / "bus.conf");
        daemon_ = std::make_unique<Child>(std::vector<std::string>{
            CFS_SCRIPTED_DAEMON, "--config", dir_ / "c.toml", "--bus", bus_->address()});
        ASSERT_TRUE(daemon_->wait_for_err("is ready")) << daemon_->finish().err;
        client_ = std::make_unique<BusClient>(bus_->address());
        state();
        before_ = memory();
    }

    std::string state() { return value<std::string>(client_->manager(), "State"); }

    /// How long one answer takes.
    std::chrono::milliseconds answer_time() {
        const auto start = std::chrono::steady_clock::now();
        state();
        return std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - start);
    }

    /// Bytes that are resident in the daemon and come from no file.
    [[nodiscard]] std::size_t memory() const {
        std::ifstream in("/proc/" + std::to_string(daemon_->pid()) + "/status");
        for (std::string line; std::getline(in, line);) {
            if (line.rfind("RssAnon:", 0) == 0) return std::stoul(line.substr(8)) << 10;
        }
        return 0;
    }

    /// Negative when it shrank.
    [[nodiscard]] std::int64_t growth() const {
        if (kSanitized) return 0;
        return static_cast<std::int64_t>(memory()) - static_cast<std::int64_t>(before_);
    }

    [[nodiscard]] std::ptrdiff_t open_files() const {
        const std::filesystem::directory_iterator all("/proc/" + std::to_string(daemon_->pid()) +
                                                      "/fd");
        return std::distance(begin(all), end(all));
    }

    TempDir dir_;
    std::unique_ptr<PrivateBus> bus_;
    std::unique_ptr<Child> daemon_;
    std::unique_ptr<BusClient> client_;
    std::size_t before_ = 0;
};

TEST_F(BusHostile, WhoNeverReadsStopsNobody) {
    start();
    DeafClient deaf(bus_->address());
    for (int i = 0; i < 500; ++i)
        deaf.ask_for_everything();
    for (int i = 0; i < 10; ++i)
        EXPECT_LT(answer_time(), 20s);
    EXPECT_LT(growth(), static_cast<std::int64_t>(2 * kMiB));
}

// What nobody reads is more than the bus keeps of one service: then the daemon must not keep it
// instead.
TEST_F(BusHostile, WhatTheBusDoesNotTakeIsNotKept) {
    start(kNarrow);
    auto deaf = std::make_unique<DeafClient>(bus_->address());
    for (int i = 0; i < 12'000; ++i)
        deaf->ask_for_everything();
    std::this_thread::sleep_for(1s);
    EXPECT_LT(growth(), static_cast<std::int64_t>(2 * kMiB)) << "12,000 answers are about 16 MB";
    deaf.reset();
    EXPECT_LT(answer_time(), 25s) << "as soon as they have left";
}

// Who asks and does not read has the bus stop reading us, for everybody: a new connection is free
// of that, so the daemon gives the old one up, and is started again by the next call.
TEST(BusHostileService, GivesUpAConnectionThatTheBusHoldsUp) {
    TempDir dir;
    dir.write("bus.conf", bus_policy(kNarrow));
    ServiceSite site(dir / "bus.conf");
    site.bus_patience = 300ms;
    site.start();
    DeafClient deaf(site.bus.address());
    for (int i = 0; i < 3000 && !site.is_lost(); ++i)
        deaf.ask_for_everything();
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!site.is_lost() && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(10ms);
    EXPECT_TRUE(site.is_lost());
    const auto start = std::chrono::steady_clock::now();
    site.stop();
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s)
        << "what cannot be sent holds up nothing";
}

// But not while a job runs, which wants no bus.
TEST(BusHostileService, AJobIsNotGivenUpForThat) {
    TempDir dir;
    dir.write("bus.conf", bus_policy(kNarrow));
    ServiceSite site(dir / "bus.conf");
    site.bus_patience = 100ms;
    site.engine.set_verb(
        [&](update::ProgressSink&, const std::stop_token& stop) { site.door.pass(stop); });
    site.start();
    BusClient client(site.bus.address());
    client.start("Update");
    ASSERT_TRUE(site.door.wait_until_reached());
    DeafClient deaf(site.bus.address());
    for (int i = 0; i < 3000; ++i)
        deaf.ask_for_everything();
    std::this_thread::sleep_for(1s);
    EXPECT_FALSE(site.is_lost());
    site.door.open();
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!site.is_lost() && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(10ms);
    EXPECT_TRUE(site.is_lost()) << "afterwards it is";
    EXPECT_EQ(site.engine.calls().back().rfind("update", 0), 0U);
}

TEST_F(BusHostile, HugeArgumentsAreRefused) {
    start();
    const std::string huge(kMiB, 'x');
    const std::string refused = "org.freedesktop.DBus.Error.InvalidArgs: option 'image' is longer";
    for (int i = 0; i < 50; ++i) {
        const std::string answer =
            client_->call_with_options("Check", {{"image", sdbus::Variant{huge}}});
        ASSERT_EQ(answer.rfind(refused, 0), 0U) << answer.substr(0, 200);
        ASSERT_LT(answer.size(), 500U) << "it is not sent back";
    }
    // The allocator keeps some of the last ones for the next; a copy of each would be 50 MiB.
    EXPECT_LT(growth(), static_cast<std::int64_t>(16 * kMiB));
    bus::VariantMap many;
    for (int i = 0; i < 10'000; ++i)
        many["option" + std::to_string(i)] = sdbus::Variant{huge.substr(0, 100)};
    const std::string unknown = client_->call_with_options("Update", many);
    EXPECT_EQ(unknown.rfind("org.freedesktop.DBus.Error.InvalidArgs: option 'option0' is not", 0),
              0U)
        << unknown.substr(0, 200);
    const std::string name = client_->call_with_options("Check", {{huge, sdbus::Variant{true}}});
    EXPECT_LT(name.size(), 500U);
    EXPECT_EQ(state(), "idle");
}

TEST_F(BusHostile, AFloodOfInhibitIsBounded) {
    start();
    const std::ptrdiff_t before = open_files();
    std::vector<UniqueFd> fds;
    int busy = 0;
    for (int i = 0; i < 500; ++i) {
        try {
            fds.push_back(client_->inhibit({{"why", sdbus::Variant{std::string("flood")}}}));
        } catch (const sdbus::Error& e) {
            if (std::string(e.getName()) == "org.cfsupdate1.Error.Busy") ++busy;
        }
    }
    EXPECT_EQ(fds.size(), 8U) << "of one user";
    EXPECT_EQ(busy, 492);
    EXPECT_EQ(open_files() - before, 8);
    EXPECT_LT(growth(), static_cast<std::int64_t>(2 * kMiB));
    EXPECT_LT(answer_time(), 2s);
}

TEST_F(BusHostile, AFloodOfCheckIsBounded) {
    start();
    DeafClient flood(bus_->address());
    for (int i = 0; i < 3000; ++i)
        flood.check();
    EXPECT_LT(answer_time(), 10s);
    const std::string job = client_->start("Check");
    EXPECT_EQ(client_->wait_for_end(job).state, "done") << "others have their turn";
    EXPECT_LT(growth(), static_cast<std::int64_t>(4 * kMiB)) << "64 ended jobs are kept";
    EXPECT_LT(answer_time(), 2s);
}

}  // namespace
}  // namespace cfs::test
