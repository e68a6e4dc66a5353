// SPDX-License-Identifier: Apache-2.0
#include "bus_client.hpp"
#include "service_site.hpp"

#include <gtest/gtest.h>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace cfs::test {
namespace {

using namespace std::chrono_literals;
using Blockers = std::vector<sdbus::Struct<std::string, std::string>>;

bus::VariantMap wish(const std::string& why, const std::string& what = {}) {
    bus::VariantMap out{{"why", sdbus::Variant{why}}, {"who", sdbus::Variant{std::string("me")}}};
    if (!what.empty()) out["what"] = sdbus::Variant{what};
    return out;
}

class BusInhibit : public testing::Test {
 protected:
    BusClient& client() {
        if (!client_) client_ = std::make_unique<BusClient>(site_.bus.address());
        return *client_;
    }

    /// "inhibited: update: me: because (user id 0)", ...
    std::vector<std::string> blockers() {
        std::vector<std::string> out;
        for (const auto& each : value<Blockers>(client().manager(), "Blockers"))
            out.push_back(each.get<0>() + ": " + each.get<1>());
        return out;
    }

    /// False after ten seconds.
    bool comes_to(const std::vector<std::string>& wanted) {
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (std::chrono::steady_clock::now() < end) {
            if (blockers() == wanted) return true;
            std::this_thread::sleep_for(5ms);
        }
        return false;
    }

    static std::string line(const std::string& why, const std::string& what = "update") {
        return "inhibited: " + what + ": me: " + why + " (user id " + std::to_string(::geteuid()) +
               ")";
    }

    bool is_inhibited(const std::string& method = "Update", const bus::VariantMap& options = {}) {
        const std::string answer = client().call_with_options(method, options);
        if (answer.rfind("org.cfsupdate1.Error.Inhibited: inhibited: ", 0) == 0) return true;
        EXPECT_EQ(answer, "ok");
        // The next call is not to be refused because of that job.
        while (value<std::string>(client().manager(), "State") != "idle")
            std::this_thread::sleep_for(1ms);
        return false;
    }

    ServiceSite site_;
    std::unique_ptr<BusClient> client_;
};

TEST_F(BusInhibit, KeepsUpdatesFromBeginningUntilTheDescriptorIsClosed) {
    site_.start();
    UniqueFd fd = client().inhibit(wish("a talk"));
    EXPECT_EQ(blockers(), std::vector<std::string>{line("a talk")});
    EXPECT_TRUE(is_inhibited());
    EXPECT_FALSE(is_inhibited("Check")) << "that was not asked for";
    EXPECT_TRUE(client().wait_for([](const Heard& heard) {
        return heard.path == bus::kManagerPath && heard.changed.contains("Blockers");
    }));
    fd.reset();
    EXPECT_TRUE(comes_to({}));
    EXPECT_FALSE(is_inhibited());
}

TEST_F(BusInhibit, EndsWithTheLastCopyOfTheDescriptor) {
    site_.start();
    UniqueFd one = client().inhibit(wish("x"));
    UniqueFd other(::dup(one.get()));
    one.reset();
    EXPECT_EQ(blockers().size(), 1U);
    EXPECT_TRUE(is_inhibited());
    other.reset();
    EXPECT_TRUE(comes_to({}));
}

TEST_F(BusInhibit, EndsWhenTheClientLeavesTheBus) {
    site_.start();
    auto other = std::make_unique<BusClient>(site_.bus.address());
    const UniqueFd fd = other->inhibit(wish("x"));
    EXPECT_EQ(blockers().size(), 1U);
    other.reset();
    EXPECT_TRUE(comes_to({})) << "a copy that was given away does not count";
}

TEST_F(BusInhibit, EndsWhenSomethingIsWrittenIntoIt) {
    site_.start();
    const UniqueFd fd = client().inhibit(wish("x"));
    ASSERT_EQ(::write(fd.get(), "x", 1), 1);
    EXPECT_TRUE(comes_to({}));
}

TEST_F(BusInhibit, EndsAfterItsTimeAndTheClientCanSeeThat) {
    site_.inhibitors.max_age = 200ms;
    site_.start();
    const UniqueFd fd = client().inhibit(wish("x"));
    EXPECT_TRUE(is_inhibited());
    pollfd seen{fd.get(), 0, 0};
    ASSERT_EQ(::poll(&seen, 1, 10'000), 1);
    EXPECT_NE(seen.revents & POLLERR, 0);
    EXPECT_TRUE(comes_to({}));
}

// Whoever renews them all the time.
TEST_F(BusInhibit, TogetherTheyDelayForSoLongAndNoLonger) {
    site_.inhibitors.max_age = 400ms;
    site_.start();
    UniqueFd fd = client().inhibit(wish("0"));
    const auto first = std::chrono::steady_clock::now();
    EXPECT_TRUE(is_inhibited());
    bool accepted = false;
    for (int i = 1; !accepted && i < 200; ++i) {
        UniqueFd next = client().inhibit(wish(std::to_string(i)));
        fd = std::move(next);
        accepted = !is_inhibited();
        std::this_thread::sleep_for(10ms);
    }
    ASSERT_TRUE(accepted);
    EXPECT_GE(std::chrono::steady_clock::now() - first, 400ms);
    EXPECT_EQ(blockers().size(), 1U) << "it went on against one";
    EXPECT_TRUE(is_inhibited()) << "the next one waits anew";
}

TEST_F(BusInhibit, DoesNotTouchWhatRunsOrIsResumed) {
    site_.engine.set_verb(
        [this](update::ProgressSink&, const std::stop_token& stop) { site_.door.pass(stop); });
    site_.start();
    const std::string job = client().start("Update");
    ASSERT_TRUE(site_.door.wait_until_reached());
    const UniqueFd fd = client().inhibit(wish("x"));
    EXPECT_EQ(client().start("Update"), job) << "joining begins nothing";
    ASSERT_EQ(client().call_bare(job, bus::kJobInterface, "Pause"), "ok");
    const std::string paused = "paused: job 1 (update) is paused";
    EXPECT_TRUE(comes_to({paused, line("x")}));
    EXPECT_EQ(client().call_bare(job, bus::kJobInterface, "Resume"), "ok");
    site_.door.open();
    EXPECT_EQ(client().wait_for_end(job).state, "done");
}

TEST_F(BusInhibit, IsOverruledByAnOption) {
    site_.start();
    const UniqueFd fd = client().inhibit(wish("x"));
    EXPECT_FALSE(is_inhibited("Update", {{"ignore-inhibitors", sdbus::Variant{true}}}));
}

TEST_F(BusInhibit, TakesChecksToo) {
    site_.start();
    const UniqueFd fd = client().inhibit(wish("x", "check:update"));
    EXPECT_EQ(blockers(), std::vector<std::string>{line("x", "check and update")});
    EXPECT_TRUE(is_inhibited("Check"));
    EXPECT_TRUE(is_inhibited());
    EXPECT_FALSE(is_inhibited("Verify"));
}

TEST_F(BusInhibit, IsBoundedPerUser) {
    site_.inhibitors.per_user = 3;
    site_.start();
    std::vector<UniqueFd> fds;
    for (int i = 0; i < 3; ++i)
        fds.push_back(client().inhibit(wish("x")));
    const std::string refusal = client().call_with_options("Inhibit", wish("x"));
    EXPECT_EQ(refusal.rfind("org.cfsupdate1.Error.Busy: user id ", 0), 0U) << refusal;
    fds.pop_back();
    EXPECT_TRUE(comes_to({line("x"), line("x")}));
    EXPECT_NO_THROW(fds.push_back(client().inhibit(wish("x"))));
}

// Without the bus, because there nobody but root may call without polkit.
TEST(Inhibitors, AreBoundedForAllUsersButRoot) {
    const PrivateBus bus;
    boost::asio::io_context io;
    const auto connection = bus::connect(bus.address());
    service::BusPump pump(io, *connection, [](const std::string&) {}, {});
    service::Inhibitors::Limits limits;
    limits.in_all = 5;
    service::Inhibitors inhibitors(io, *connection, pump, limits, [] {});
    std::vector<UniqueFd> fds;
    for (std::uint32_t i = 0; i < 5; ++i)
        fds.push_back(inhibitors.take({"update", "me", "x"}, {1000 + i, ":1.99"}));
    EXPECT_EQ(inhibitors.list().size(), 5U);
    try {
        fds.push_back(inhibitors.take({"update", "me", "x"}, {2000, ":1.99"}));
        FAIL() << "accepted";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::Busy);
    }
    fds.push_back(inhibitors.take({"update", "me", "x"}, {0, ":1.99"}));
    EXPECT_EQ(inhibitors.list().size(), 6U);
}

TEST_F(BusInhibit, ShowsTextsInOneLineAndCut) {
    site_.start();
    const UniqueFd fd = client().inhibit(wish("a\nb\x1b[31m" + std::string(5000 - 1000, 'x')));
    const std::string shown = blockers().at(0);
    EXPECT_EQ(shown.find('\n'), std::string::npos);
    EXPECT_EQ(shown.find('\x1b'), std::string::npos);
    EXPECT_NE(shown.find("a?b?[31mxxx"), std::string::npos) << shown;
    EXPECT_LT(shown.size(), 500U);
}

TEST_F(BusInhibit, RefusesWhatItDoesNotKnow) {
    site_.start();
    const std::string invalid = "org.freedesktop.DBus.Error.InvalidArgs: ";
    for (const char* what : {"reboot", "update:reboot", "update:update", "update:", ":"}) {
        EXPECT_EQ(client().call_with_options("Inhibit", wish("x", what)).rfind(invalid, 0), 0U)
            << what;
    }
    EXPECT_EQ(client().call_with_options("Inhibit").rfind(invalid + "the option 'why'", 0), 0U);
    EXPECT_TRUE(blockers().empty());
}

}  // namespace
}  // namespace cfs::test
