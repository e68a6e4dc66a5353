// SPDX-License-Identifier: Apache-2.0
// systemd's own client, unmodified. Debian's binary packages do not have it: trixie.bus builds it
// from Debian's source.
#include "adapter_site.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <stdlib.h>

namespace cfs::test {
namespace {

class Updatectl : public testing::Test {
 protected:
    void SetUp() override {
        ::setenv("DBUS_SYSTEM_BUS_ADDRESS", site_.address().c_str(), 1);
        ::setenv("SYSTEMD_COLORS", "0", 1);
        ::setenv("SYSTEMD_URLIFY", "0", 1);
        site_.publish("2", "https://example.org/2");
        site_.start_daemon();
        site_.start_adapter();
    }

    static std::vector<std::string> argv(const std::vector<std::string>& args) {
        std::vector<std::string> out{CFS_UPDATECTL, "--no-pager"};
        out.insert(out.end(), args.begin(), args.end());
        return out;
    }

    static Ended updatectl(const std::vector<std::string>& args) { return run(argv(args)); }

    AdapterSite site_;
};

/// Its words, with one space between them.
std::string words(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c != ' ' && c != '\n')
            out += c;
        else if (!out.empty() && out.back() != ' ')
            out += ' ';
    }
    return out;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST_F(Updatectl, ListsTheHostAndItsVersions) {
    const auto targets = updatectl({"list"});
    EXPECT_EQ(targets.code, 0) << targets.err;
    EXPECT_TRUE(has(words(targets.out), "host 1 ")) << targets.out;

    const auto checked = updatectl({"check"});
    EXPECT_EQ(checked.code, 0) << checked.err;
    EXPECT_TRUE(has(words(checked.out), "host 1 → 2")) << checked.out;

    const auto versions = updatectl({"list", "host"});
    EXPECT_EQ(versions.code, 0) << versions.err;
    EXPECT_TRUE(has(versions.out, "2       candidate")) << versions.out;
    EXPECT_TRUE(has(versions.out, "1       current")) << versions.out;
}

TEST_F(Updatectl, DescribesAVersion) {
    EXPECT_EQ(updatectl({"check"}).code, 0);
    const auto described = updatectl({"list", "host@2"});
    EXPECT_EQ(described.code, 0) << described.err;
    EXPECT_TRUE(has(described.out, "Version: 2\n")) << described.out;
    EXPECT_TRUE(has(described.out, "State: candidate\n")) << described.out;
    EXPECT_TRUE(has(described.out, "ChangeLog: https://example.org/2\n")) << described.out;
    const auto missing = updatectl({"list", "host@3"});
    EXPECT_NE(missing.code, 0);
    EXPECT_TRUE(has(missing.err, "3")) << missing.err;
}

TEST_F(Updatectl, UpdatesOnce) {
    const auto updated = updatectl({"update"});
    EXPECT_EQ(updated.code, 0) << updated.err;
    EXPECT_TRUE(has(updated.err, "host@2: ✓ Done")) << updated.err;
    const auto listed = updatectl({"list"});
    EXPECT_TRUE(has(words(listed.out), "host 2 ")) << listed.out;
    const auto versions = updatectl({"list", "host"});
    EXPECT_TRUE(has(versions.out, "2       current")) << versions.out;
    EXPECT_TRUE(has(versions.out, "1       protected+obsolete")) << versions.out;
    const auto again = updatectl({"update"});
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_TRUE(has(again.err, "host: ✓ Already up-to-date")) << again.err;
    const auto checked = updatectl({"check"});
    EXPECT_EQ(checked.code, 0) << checked.err;
    EXPECT_TRUE(has(checked.err, "No updates available.")) << checked.out << checked.err;
}

TEST_F(Updatectl, UpdatesToTheVersionThatIsAskedFor) {
    const auto updated = updatectl({"update", "host@2"});
    EXPECT_EQ(updated.code, 0) << updated.err;
    EXPECT_TRUE(has(updated.err, "host@2: ✓ Done")) << updated.err;
}

TEST_F(Updatectl, FailsForAVersionThatIsNotThere) {
    const auto updated = updatectl({"update", "host@99"});
    EXPECT_NE(updated.code, 0);
    EXPECT_TRUE(has(updated.err, "host@99: ✗ No such file or directory")) << updated.err;
}

TEST_F(Updatectl, SaysThatTheRegistryIsAway) {
    site_.set_check([](update::ProgressSink&, const std::stop_token&) {
        throw Error(ErrorCode::Network, "no way there", "look at the cable");
    });
    const auto updated = updatectl({"update", "host"});
    EXPECT_NE(updated.code, 0);
    EXPECT_TRUE(has(updated.err, "host: ✗ No route to host")) << updated.err;
    const auto offline = updatectl({"list", "host", "--offline"});
    EXPECT_EQ(offline.code, 0) << offline.err;
    EXPECT_TRUE(has(offline.out, "1       current")) << offline.out;
}

TEST_F(Updatectl, FailsWithTheReasonOfTheUpdate) {
    site_.set_update([](update::ProgressSink&, const std::stop_token&) {
        throw Error(ErrorCode::NoSpace, "the store is full", "make room");
    });
    const auto updated = updatectl({"update"});
    EXPECT_NE(updated.code, 0);
    EXPECT_TRUE(has(updated.err, "host@2: ✗ No space left on device")) << updated.err;
}

TEST_F(Updatectl, CancelsWhenItIsInterrupted) {
    Door door;
    site_.set_update({},
                     [&](update::ProgressSink&, const std::stop_token& stop) { door.pass(stop); });
    Child child(argv({"update"}));
    ASSERT_TRUE(door.wait_until_reached());
    ASSERT_TRUE(child.wait_for_err("host"));
    child.signal(SIGINT);
    const auto ended = child.finish();
    EXPECT_NE(ended.code, 0);
    EXPECT_TRUE(has(ended.err, "Operation canceled")) << ended.err;
    EXPECT_TRUE(has(words(updatectl({"list"}).out), "host 1 ")) << "nothing was installed";
}

TEST_F(Updatectl, MakesRoomAndKnowsNoFeatures) {
    const auto vacuumed = updatectl({"vacuum"});
    EXPECT_EQ(vacuumed.code, 0) << vacuumed.err;
    EXPECT_TRUE(has(vacuumed.out + vacuumed.err, "2")) << vacuumed.out << vacuumed.err;
    EXPECT_EQ(updatectl({"features"}).code, 0);
    EXPECT_NE(updatectl({"enable", "devel"}).code, 0);
    EXPECT_NE(updatectl({"list", "nothing"}).code, 0);
}

}  // namespace
}  // namespace cfs::test
