// SPDX-License-Identifier: Apache-2.0
// What the shipped bus policy lets through, that the interface is the documented one, and who may
// do what: with the real polkitd.
#include "adapter_site.hpp"
#include "polkit_site.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

namespace cfs::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kOurs = "org.cfsupdate1.sysupdate1";
constexpr uid_t kNobody = 65534;

std::string lines_of(const std::string& interface, const std::string& file) {
    const Ended ended = run({"python3", CFS_INTERFACE_LINES, interface, file});
    EXPECT_EQ(ended.code, 0) << ended.err;
    return ended.out;
}

std::vector<std::string> methods(const std::string& interface) {
    std::vector<std::string> out;
    std::istringstream in(lines_of(interface, CFS_DBUS_DIR "/" + interface + ".xml"));
    for (std::string line; std::getline(in, line);) {
        if (line.rfind("method ", 0) == 0) out.push_back(line.substr(7, line.find('(') - 7));
    }
    return out;
}

TEST(SysupdateInterface, IsTheDocumentedOne) {
    AdapterSite site;
    site.publish("2");
    site.start_daemon();
    site.start_adapter();
    Center center(site.address());
    const std::string job = center.start("Update", "").path;
    const std::vector<std::pair<const char*, const char*>> objects{
        {kManager, sysupdate::kManagerPath},
        {kTarget, sysupdate::kTargetPath},
        {kJob, job.c_str()}};
    for (const auto& [interface, path] : objects) {
        const TempDir dir;
        dir.write("live.xml", center.introspect(path));
        const std::string documented =
            lines_of(interface, CFS_DBUS_DIR "/" + std::string(interface) + ".xml");
        EXPECT_GT(documented.size(), 50U);
        EXPECT_EQ(lines_of(interface, dir / "live.xml"), documented);
    }
}

/// The bus's own words: the call did not reach the service.
bool is_stopped(Center& center,
                const char* path,
                const std::string& interface,
                const std::string& method) {
    try {
        center.call<>(10s, path, interface.c_str(), method.c_str());
        return false;
    } catch (const sdbus::Error& e) {
        return std::string(e.getMessage()).find("Rejected send message") != std::string::npos;
    }
}

TEST(SysupdatePolicy, LetsEveryDocumentedMethodThroughAndNothingElse) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to act as another user";
    AdapterSite site(
        {CFS_DBUS_DIR "/org.cfsupdate1.conf", std::string(CFS_DBUS_DIR "/") + kOurs + ".conf"});
    site.publish("2");
    site.start_daemon();
    site.start_adapter();
    Center root(site.address());
    const std::string job = root.start("Update", "").path;
    EXPECT_EQ(root.wait_for_end(job).removed, 0);
    Center nobody(site.address(), kNobody);
    const std::vector<std::pair<const char*, const char*>> objects{
        {kManager, sysupdate::kManagerPath},
        {kTarget, sysupdate::kTargetPath},
        {kJob, job.c_str()}};
    int seen = 0;
    for (const auto& [interface, path] : objects) {
        for (const std::string& method : methods(interface)) {
            ++seen;
            EXPECT_FALSE(is_stopped(nobody, path, interface, method)) << method;
        }
        EXPECT_TRUE(is_stopped(nobody, path, interface, "Undocumented"));
        EXPECT_TRUE(is_stopped(nobody, path, kProperties, "Set"));
        EXPECT_TRUE(is_stopped(nobody, path, "org.example.Other", "List"));
    }
    EXPECT_EQ(seen, 3 + 12 + 1);
    EXPECT_EQ(nobody.properties(job, kJob).at("Progress").get<std::uint32_t>(), 100U);
    EXPECT_NE(nobody.introspect(sysupdate::kTargetPath).find("CheckNew"), std::string::npos);
    EXPECT_THROW(nobody.take_name(sysupdate::kName), sdbus::Error);
}

TEST(SysupdatePolicy, HasTheActionsOfTheCodeAndNoOther) {
    const std::map<std::string, std::string> defaults{
        {sysupdate::kCheck, "auth_admin auth_admin yes"},
        {sysupdate::kUpdate, "auth_admin auth_admin yes"},
        {sysupdate::kUpdateToVersion, "auth_admin auth_admin auth_admin_keep"},
        {sysupdate::kVacuum, "auth_admin auth_admin auth_admin_keep"},
        {sysupdate::kManageFeatures, "auth_admin auth_admin auth_admin_keep"}};
    std::string lines;
    for (const auto& [id, who] : defaults)
        lines += id + " " + who + "\n";
    EXPECT_EQ(defaults.size(), sysupdate::kActions.size());
    const Ended ended =
        run({"python3", CFS_POLICY_LINES, std::string(CFS_DBUS_DIR "/") + kOurs + ".policy"});
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(ended.out, lines);
}

/// Users on a bus like the system's, with the real polkitd, and version 2 to be had.
class Authorisation : public testing::Test {
 protected:
    void SetUp() override {
        const std::string missing = PolkitSite::missing();
        if (!missing.empty()) GTEST_SKIP() << missing;
        site = std::make_unique<PolkitSite>(
            true, service::CallerCheck::Config{}, std::vector<std::string>{kOurs});
        update::Status status;
        status.booted.emplace().version = "1";
        status.booted->state = update::DeploymentState::Booted;
        status.deployments = {*status.booted};
        status.available.emplace().version = "2";
        status.available->manifest_digest = "sha256:22";
        site->service.engine.check_result = {true, *status.available};
        site->service.engine.set_status(status);
        for (const User& user : {kRoot, kActive, kInactive, kAbsent}) {
            users.push_back(&site->add(user));
            others.push_back(&site->add(user));
        }
        adapter = std::make_unique<Child>(std::vector<std::string>{
            CFS_ADAPTER, "--bus", site->service.bus.address(), "--run", dir / "run"});
        ASSERT_TRUE(adapter->wait_for_err("is ready"));
        ASSERT_EQ(users[0]->tell(of_target("CheckNew 0")), "ok ") << "what there is, is known";
    }

    /// "yes", "password" or "no"
    static std::string verdict(const std::string& answer) {
        if (answer.find("InteractiveAuthorizationRequired") != std::string::npos) return "password";
        if (answer.find("AccessDenied") != std::string::npos) return "no";
        return "yes";
    }

    static std::string at(const std::string& path,
                          const std::string& interface,
                          const std::string& call) {
        return std::string("at ") + sysupdate::kName + " " + path + " " + interface + " " + call;
    }

    static std::string of_target(const std::string& call) {
        return at(sysupdate::kTargetPath, kTarget, call);
    }

    std::string row(const std::string& line) {
        std::string out;
        for (Caller* user : users)
            out += (out.empty() ? "" : " ") + verdict(user->tell(line));
        return out;
    }

    /// A job of that user that runs until it is stopped; tried again while another one ends.
    static std::string start_job(Caller& user) {
        for (int i = 0; i < 500; ++i) {
            const std::string answer = user.tell(of_target("Update 0 s:2 t:0"));
            if (answer.rfind("ok ", 0) == 0) return answer.substr(3);
            if (answer.find("EBUSY") == std::string::npos) return answer;
            ::usleep(10'000);
        }
        return "no job starts";
    }

    /// Version 2 is staged, locked, by whatever asks for that.
    void plays_staging() {
        update::Status status = site->service.engine.status();
        status.available.reset();
        status.staged.emplace().version = "2";
        status.staged->digest = std::string(64, 'd');
        status.staged->state = update::DeploymentState::Staged;
        status.staged->locked = true;
        status.deployments.insert(status.deployments.begin(), *status.staged);
        site->service.engine.update_result.outcome = update::UpdateOutcome::Staged;
        site->service.engine.update_result.deployment = *status.staged;
        site->service.engine.set_verb(
            [this, status](update::ProgressSink&, const std::stop_token&) {
                if (site->service.engine.calls().back().find(" locked") != std::string::npos)
                    site->service.engine.set_status(status);
            });
    }

    /// The daemon says so, and its job is over.
    bool waits_for_locked() {
        const auto get = [&](const char* name) {
            return site->service.bus
                .busctl(
                    {"get-property", bus::kName, bus::kManagerPath, bus::kManagerInterface, name})
                .out;
        };
        for (int i = 0; i < 500; ++i) {
            if (get("Staged").find("\"locked\" b true") != std::string::npos &&
                get("State") == "s \"idle\"\n")
                return true;
            ::usleep(10'000);
        }
        return false;
    }

    std::ptrdiff_t finalized() {
        const auto calls = site->service.engine.calls();
        return std::count(calls.begin(), calls.end(), "finalize");
    }

    TempDir dir;
    std::unique_ptr<PolkitSite> site;
    std::vector<Caller*> users, others;
    std::unique_ptr<Child> adapter;
};

//                 root active inactive absent
constexpr const char* kEverybody = "yes yes yes yes";
constexpr const char* kActiveUser = "yes yes password password";
constexpr const char* kAdministrator = "yes password password password";

TEST_F(Authorisation, OfEveryMethod) {
    site->start_polkit();
    const std::map<std::string, std::string> of_manager{
        {"ListTargets 0", kEverybody}, {"ListJobs 0", kEverybody}, {"ListAppStream 0", kEverybody}};
    for (const auto& [call, expected] : of_manager)
        EXPECT_EQ(row(at(sysupdate::kManagerPath, kManager, call)), expected) << call;
    const std::map<std::string, std::string> rows{{"List 0 t:0", kActiveUser},
                                                  {"Describe 0 s:1 t:1", kActiveUser},
                                                  {"CheckNew 0", kActiveUser},
                                                  {"Update 0 s: t:0", kActiveUser},
                                                  {"Update 0 s:2 t:0", kActiveUser},
                                                  {"Update 0 s:1 t:0", kAdministrator},
                                                  {"Update 0 s:7 t:0", kAdministrator},
                                                  {"Acquire 0 s: t:0", kActiveUser},
                                                  {"Acquire 0 s:2 t:0", kActiveUser},
                                                  {"Acquire 0 s:1 t:0", kAdministrator},
                                                  {"Install 0 s: t:0", kActiveUser},
                                                  {"Install 0 s:1 t:0", kAdministrator},
                                                  {"Vacuum 0", kAdministrator},
                                                  {"GetAppStream 0", kEverybody},
                                                  {"GetVersion 0", kEverybody},
                                                  {"ListFeatures 0 t:0", kEverybody},
                                                  {"DescribeFeature 0 s:x t:0", kEverybody},
                                                  {"SetFeatureEnabled 0 s:x i:1 t:0", kEverybody}};
    std::set<std::string> seen;
    for (const auto& [call, expected] : rows) {
        EXPECT_EQ(row(of_target(call)), expected) << call;
        seen.insert(call.substr(0, call.find(' ')));
    }
    const auto all = methods(kTarget);
    EXPECT_EQ(seen, (std::set<std::string>(all.begin(), all.end()))) << "none is left out";
}

// By whoever started it, from any of his connections, without a question.
TEST_F(Authorisation, OfStoppingAJob) {
    Door door;
    const auto hang = [&](update::ProgressSink&, const std::stop_token& stop) {
        const auto calls = site->service.engine.calls();
        if (calls.back().rfind("update", 0) == 0) door.pass(stop);
    };
    site->service.engine.set_verb(hang);
    site->start_polkit();
    const std::string job = start_job(*users[1]);
    ASSERT_TRUE(job.starts_with(sysupdate::kJobPathPrefix)) << job;
    const std::string cancel = at(job, kJob, "Cancel 0");
    EXPECT_EQ(verdict(users[2]->tell(cancel)), "password");
    EXPECT_EQ(verdict(users[3]->tell(cancel)), "password");
    EXPECT_EQ(users[1]->tell(cancel), "ok ");
    const std::string again = start_job(*users[1]);
    EXPECT_EQ(others[1]->tell(at(again, kJob, "Cancel 0")), "ok ");
    const std::string third = start_job(*users[1]);
    EXPECT_EQ(users[0]->tell(at(third, kJob, "Cancel 0")), "ok ") << "root may anyway";
    // Also who needed a password for it, and has none to give now.
    {
        const auto agent = FakeAgent::make(
            site->service.bus.address(), {users[2]->process()}, FakeAgent::Person::Knows);
        std::string fourth = users[2]->tell(of_target("Update 1 s:2 t:0"));
        for (int i = 0; i < 500 && fourth.find("EBUSY") != std::string::npos; ++i) {
            ::usleep(10'000);
            fourth = users[2]->tell(of_target("Update 1 s:2 t:0"));
        }
        ASSERT_TRUE(fourth.starts_with("ok ")) << fourth;
        const std::string of_fourth = at(fourth.substr(3), kJob, "Cancel 0");
        EXPECT_EQ(verdict(users[3]->tell(of_fourth)), "password");
        EXPECT_EQ(others[2]->tell(of_fourth), "ok ");
    }
    // Whoever may start it may stop it.
    const std::string roots = start_job(*users[0]);
    EXPECT_EQ(users[1]->tell(at(roots, kJob, "Cancel 0")), "ok ");
}

// The daemon has a password asked for before it arms what is locked; calling here is no way around.
TEST_F(Authorisation, WhatAnAdministratorLockedIsNotArmedWithoutOne) {
    plays_staging();
    site->start_polkit();
    ASSERT_TRUE(users[0]->call("Stage", "lock=b:1").starts_with("ok "));
    ASSERT_TRUE(waits_for_locked());
    EXPECT_EQ(verdict(users[1]->call("Finalize")), "password");
    for (const char* call :
         {"Install 0 s: t:0", "Install 0 s:2 t:0", "Update 0 s: t:0", "Update 0 s:2 t:0"}) {
        for (Caller* user : {users[0], users[1]}) {
            const std::string answer = user->tell(of_target(call));
            EXPECT_NE(answer.find("NoCandidate"), std::string::npos) << call << answer;
            EXPECT_NE(answer.find("an administrator locked it"), std::string::npos) << answer;
        }
        EXPECT_EQ(row(of_target(call)), kActiveUser) << call << ", and nothing comes of it";
    }
    EXPECT_EQ(finalized(), 0);
}

TEST_F(Authorisation, WhatWasAcquiredHereIsArmedByWhoeverMayAcquire) {
    plays_staging();
    site->start_polkit();
    ASSERT_TRUE(users[1]->tell(of_target("Acquire 0 s: t:0")).starts_with("ok "));
    ASSERT_TRUE(waits_for_locked());
    EXPECT_EQ(verdict(users[1]->call("Finalize")), "password") << "by the daemon as before";
    EXPECT_EQ(verdict(users[2]->tell(of_target("Install 0 s: t:0"))), "password");
    EXPECT_EQ(finalized(), 0);
    const std::string answer = users[1]->tell(of_target("Install 0 s: t:0"));
    EXPECT_TRUE(answer.starts_with("ok ")) << answer;
    for (int i = 0; i < 500 && finalized() == 0; ++i)
        ::usleep(10'000);
    EXPECT_EQ(finalized(), 1);
}

// To the daemon it is root who calls; the job is the user's all the same.
TEST_F(Authorisation, TheDaemonLearnsWhoseWishItIs) {
    Door door;
    site->service.engine.set_verb([&](update::ProgressSink&, const std::stop_token& stop) {
        if (site->service.engine.calls().back().rfind("update", 0) == 0) door.pass(stop);
    });
    site->start_polkit();
    const std::string job = start_job(*users[1]);
    ASSERT_TRUE(job.starts_with(sysupdate::kJobPathPrefix)) << job;
    const std::string path =
        bus::kJobPathPrefix + job.substr(std::string(sysupdate::kJobPathPrefix).size());
    const std::string initiator =
        site->service.bus
            .busctl({"get-property", bus::kName, path, bus::kJobInterface, "Initiator"})
            .out;
    EXPECT_TRUE(initiator.starts_with("(us) 1 ")) << initiator;
    EXPECT_EQ(users[1]->tell(path + " " + bus::kJobInterface + " Cancel 0 -"), "ok ");
}

TEST_F(Authorisation, AsksForAPasswordOnlyWhenTheCallAllowsIt) {
    site->start_polkit();
    const auto agent = FakeAgent::make(
        site->service.bus.address(), {users[2]->process()}, FakeAgent::Person::Knows);
    EXPECT_EQ(verdict(users[2]->tell(of_target("Update 0 s:1 t:0"))), "password");
    const std::string answer = users[2]->tell(of_target("Update 1 s:1 t:0"));
    EXPECT_NE(answer.find("NoCandidate"), std::string::npos) << answer;
    const auto dialogs = agent->dialogs(1);
    ASSERT_EQ(dialogs.size(), 1U);
    EXPECT_EQ(dialogs[0].action, sysupdate::kUpdateToVersion);
    EXPECT_EQ(dialogs[0].message, "Authentication is required to install version 1 of the system.");
}

TEST_F(Authorisation, RulesSeeWhatIsCalled) {
    site->start_polkit(
        "polkit.addRule(function(action, subject) {"
        " if (action.id == 'org.freedesktop.sysupdate1.update-to-version' &&"
        "     action.lookup('class') == 'host' && action.lookup('name') == 'host' &&"
        "     action.lookup('version') == '1' && action.lookup('offline') == '0')"
        "   return polkit.Result.YES;"
        " if (action.id == 'org.freedesktop.sysupdate1.check') return polkit.Result.NO; });");
    EXPECT_EQ(verdict(users[3]->tell(of_target("Update 0 s:1 t:0"))), "yes");
    EXPECT_EQ(verdict(users[3]->tell(of_target("Update 0 s:0 t:0"))), "password");
    EXPECT_EQ(verdict(users[1]->tell(of_target("CheckNew 0"))), "no");
}

TEST_F(Authorisation, WithoutPolkitOnlyRootMay) {
    EXPECT_EQ(row(of_target("CheckNew 0")), "yes no no no");
    EXPECT_EQ(row(of_target("Update 0 s: t:0")), "yes no no no");
    EXPECT_EQ(row(of_target("GetVersion 0")), kEverybody);
}

}  // namespace
}  // namespace cfs::test
