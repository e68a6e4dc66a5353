// SPDX-License-Identifier: Apache-2.0
// cfsctl of somebody who is not root, with the real polkitd.
#include "fake_agent.hpp"
#include "polkit_site.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <unistd.h>

#include <fstream>

namespace cfs::test {
namespace {

class PolkitClient : public testing::Test {
 protected:
    void SetUp() override {
        const std::string missing = PolkitSite::missing();
        if (!missing.empty()) GTEST_SKIP() << missing;
        site_ = std::make_unique<PolkitSite>();
        site_->start_polkit();
    }

    /// Of a user without a session.
    [[nodiscard]] std::vector<std::string> cfsctl(const std::vector<std::string>& args) const {
        const std::string user = std::to_string(kAbsent.uid);
        std::vector<std::string> argv{"setpriv",
                                      "--reuid=" + user,
                                      "--regid=" + user,
                                      "--clear-groups",
                                      CFS_CFSCTL,
                                      "--bus",
                                      site_->service.bus.address()};
        argv.insert(argv.end(), args.begin(), args.end());
        return argv;
    }

    /// The same, standing still until an agent is there for it. The process keeps its number.
    std::unique_ptr<Child> with_agent(const std::vector<std::string>& args,
                                      FakeAgent::Person person) {
        std::vector<std::string> argv{"sh", "-c", "kill -STOP $$; exec \"$@\"", "sh"};
        const std::vector<std::string> rest = cfsctl(args);
        argv.insert(argv.end(), rest.begin(), rest.end());
        auto child = std::make_unique<Child>(argv);
        wait_until_stopped(child->pid());
        agent_ =
            FakeAgent::make(site_->service.bus.address(), {{child->pid(), kAbsent.uid}}, person);
        child->signal(SIGCONT);
        return child;
    }

    static void wait_until_stopped(pid_t pid) {
        for (int i = 0; i < 1000; ++i) {
            std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
            std::string line;
            std::getline(in, line);
            if (line.find(") T ") != std::string::npos) return;
            ::usleep(10'000);
        }
        ADD_FAILURE() << "it does not stop";
    }

    std::unique_ptr<PolkitSite> site_;
    std::unique_ptr<FakeAgent> agent_;
};

TEST_F(PolkitClient, LetsItAskUnlessItIsToldNotTo) {
    const Ended asked = run(cfsctl({"rollback"}));
    EXPECT_EQ(asked.code, 4) << asked.err;
    EXPECT_NE(asked.err.find("needs an administrator's password, and none was given"),
              std::string::npos)
        << asked.err;
    EXPECT_NE(asked.err.find("\n  hint: "), std::string::npos) << asked.err;
    const Ended silent = run(cfsctl({"--no-ask-password", "rollback"}));
    EXPECT_EQ(silent.code, 4) << silent.err;
    EXPECT_NE(silent.err.find("the call did not allow to ask for it"), std::string::npos)
        << silent.err;
    EXPECT_EQ(run(cfsctl({"--no-ask-password", "cancel"})).code, 3) << "there is no job";
    EXPECT_EQ(run(cfsctl({"status"})).code, 0) << "everybody may read";
    EXPECT_EQ(site_->service.engine.calls(), (std::vector<std::string>{"reconcile"}));
}

TEST_F(PolkitClient, DoesItOnceThePasswordIsTyped) {
    const auto cfsctl = with_agent({"rollback"}, FakeAgent::Person::Knows);
    const Ended ended = cfsctl->finish();
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(agent_->dialogs(1).size(), 1U);
    EXPECT_EQ(site_->service.engine.calls().back(), "rollback");
}

TEST_F(PolkitClient, CtrlCLeavesTheDialogAndClosesIt) {
    const auto cfsctl = with_agent({"rollback"}, FakeAgent::Person::IsAway);
    ASSERT_EQ(agent_->dialogs(1).size(), 1U);
    cfsctl->signal(SIGINT);
    const Ended ended = cfsctl->finish();
    EXPECT_EQ(ended.code, 1);
    EXPECT_NE(ended.err.find("left before the update daemon allowed it"), std::string::npos)
        << ended.err;
    EXPECT_TRUE(agent_->wait_closed(1));
    EXPECT_EQ(site_->service.engine.calls(), (std::vector<std::string>{"reconcile"}));
}

}  // namespace
}  // namespace cfs::test
