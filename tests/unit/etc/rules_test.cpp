// SPDX-License-Identifier: Apache-2.0
// What a rule for a path changes, word by word.
#include "etc/rules.hpp"

#include "base/error.hpp"
#include "unit/etc/tree.hpp"

#include <gtest/gtest.h>

namespace cfs::etc {
namespace {

using test::conflicts;
using test::Merged;
using test::Tree;
using test::Trees;

Rules rules(const std::vector<std::string>& lines) {
    return Rules(lines);
}

TEST(EtcRules, TheLastOneThatFitsDecides) {
    const Rules all = rules({"keep ssh", "take ssh/sshd_config", "ignore *.d", "both /etc/x/"});
    EXPECT_EQ(all.find("ssh"), Policy::Keep);
    EXPECT_EQ(all.find("ssh/keys/a"), Policy::Keep);
    EXPECT_EQ(all.find("ssh/sshd_config"), Policy::Take);
    EXPECT_EQ(all.find("sshd"), Policy::Default);
    EXPECT_EQ(all.find("cron.d/mine"), Policy::Ignore);
    EXPECT_EQ(all.find("a/cron.d"), Policy::Default);
    EXPECT_EQ(all.find("x/y"), Policy::Both);
    EXPECT_EQ(all.find("."), Policy::Default);
}

TEST(EtcRules, PatternsMatchWithinOneName) {
    const Rules all = rules({"keep a/*/c?.[cd]"});
    EXPECT_EQ(all.find("a/b/c1.d"), Policy::Keep);
    EXPECT_EQ(all.find("a/.b/c1.c/deeper"), Policy::Keep);
    EXPECT_EQ(all.find("a/b/x/c1.d"), Policy::Default);
    EXPECT_EQ(all.find("a/b"), Policy::Default);
}

TEST(EtcRules, OddOnesAreRefusedByName) {
    for (const char* line : {"keep",
                             "keep ",
                             "frobnicate a",
                             "keep /",
                             "keep ../a",
                             "keep a//b",
                             "keep a/./b",
                             "",
                             "Keep a"}) {
        try {
            rules({line});
            ADD_FAILURE() << line;
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::InvalidArgs);
            EXPECT_NE(std::string(e.what()).find(line), std::string::npos) << e.what();
        }
    }
}

/// Every way in which both sides can have changed one path.
class EtcClash : public ::testing::Test {
 protected:
    EtcClash() {
        t_.all([](Tree& x) {
            x.file("content", "0").file("mode", "0").file("deleted", "0").file("removed", "0");
            x.file("type", "0").link("link", "0").file("dir/f", "0").file("gave-up/f", "0");
        });
        t_.current.file("content", "c").mode("mode", 0600).remove("deleted").file("removed", "c");
        t_.current.remove("type").link("type", "c").remove("link").link("link", "c");
        t_.current.remove("dir").file("dir", "c").file("gave-up/f", "c").file("made", "c");
        t_.next.file("content", "n").mode("mode", 0640).file("deleted", "n").remove("removed");
        t_.next.file("type", "n").remove("link").link("link", "n").file("dir/f", "n");
        t_.next.remove("gave-up").file("gave-up", "n").file("made/f", "n");
    }

    Trees t_;
};

TEST_F(EtcClash, WithoutARuleTheLocalOneStays) {
    const Merged m(t_);
    EXPECT_EQ(conflicts(m.plan), "gave-up,made");
    EXPECT_EQ(m.result.at("content"), "file c");
    EXPECT_EQ(m.result.at("content.new"), "none");
    EXPECT_EQ(m.result.at("dir"), "file c");
}

TEST_F(EtcClash, KeepIsTheLocalOneAndNoConflict) {
    const Merged m(t_, rules({"keep *"}));
    EXPECT_EQ(conflicts(m.plan), "");
    EXPECT_EQ(m.result.listing(), t_.current.listing());
    EXPECT_EQ(m.change("made"), "kept-local!");
    EXPECT_EQ(m.change("gave-up"), "kept-local!");
}

TEST_F(EtcClash, TakeIsTheVendorsAndSaysWhatIsLost) {
    const Merged m(t_, rules({"take *"}));
    EXPECT_EQ(conflicts(m.plan), "");
    EXPECT_EQ(m.result.listing(), t_.next.listing());
    for (const char* name :
         {"content", "mode", "deleted", "removed", "type", "link", "dir", "gave-up", "made"}) {
        EXPECT_EQ(m.change(name), "overruled-") << name;
    }
}

TEST_F(EtcClash, BothIsTheLocalOneAndTheVendorsBesideIt) {
    const Merged m(t_, rules({"both *"}));
    EXPECT_EQ(conflicts(m.plan), "");
    for (const char* name : {"content", "mode", "type", "link", "dir", "made"}) {
        EXPECT_EQ(m.result.at(name), t_.current.at(name)) << name;
    }
    EXPECT_EQ(m.result.at("content.new"), "file n");
    EXPECT_EQ(m.result.at("type.new"), "file n");
    EXPECT_EQ(m.result.at("link.new"), "link n");
    EXPECT_EQ(m.result.at("dir.new/f"), "file n");
    EXPECT_EQ(m.result.at("made.new/f"), "file n");
    EXPECT_EQ(m.result.at("deleted"), "none");
    EXPECT_EQ(m.result.at("deleted.new"), "file n");
    EXPECT_EQ(m.result.at("gave-up/f"), "file c");
    EXPECT_EQ(m.result.at("gave-up.new"), "file n");
    // Only a mode differs: a second copy of the same bytes helps nobody.
    EXPECT_EQ(m.result.at("mode.new"), "none");
    EXPECT_EQ(m.change("content.new"), "vendor-beside");
}

TEST_F(EtcClash, IgnoreIsWhatIsHereAndNothingIsSaid) {
    t_.next.file("brand-new", "n").file("dir.d/n", "n");
    t_.all([](Tree& x) { x.file("untouched", "0"); });
    t_.next.file("untouched", "n");
    const Merged m(t_, rules({"ignore *"}));
    EXPECT_EQ(m.result.listing(), t_.current.listing());
    EXPECT_TRUE(m.plan.changes.empty());
    EXPECT_TRUE(m.plan.conflicts.empty());
}

TEST_F(EtcClash, RestoreIsWhatTheImageHas) {
    t_.current.file("added", "c").file("d/added", "c").mode("dir", 0700);
    t_.all([](Tree& x) { x.file("local-only", "0").xattr("local-only", "user.a", "0"); });
    t_.current.file("local-only", "c").xattr("local-only", "user.a", "c");
    const Merged m(t_, rules({"restore *"}));
    EXPECT_EQ(conflicts(m.plan), "");
    EXPECT_EQ(m.result.listing(), t_.next.listing());
    for (const char* name : {"added", "d/added", "local-only", "content", "deleted"}) {
        EXPECT_EQ(m.change(name), "overruled-") << name;
    }
}

TEST(EtcRule, RestoreSaysNothingOfWhatWasNotLocal) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "0").file("gone", "0").file("same", "0"); });
    t.next.file("a", "n").remove("gone").file("new", "n");
    const Merged m(t, rules({"restore *"}));
    EXPECT_EQ(m.result.listing(), t.next.listing());
    EXPECT_EQ(m.change("a"), "vendor-update");
    EXPECT_EQ(m.change("gone"), "removed-by-vendor");
    EXPECT_EQ(m.change("new"), "vendor-update");
    EXPECT_EQ(m.change("same"), "");
}

TEST(EtcRule, InsideADirectoryAnotherOneMayCount) {
    Trees t;
    t.all([](Tree& x) { x.file("d/state", "0").file("d/conf", "0"); });
    t.current.file("d/state", "c").file("d/conf", "c").file("e/state", "c").file("e/conf", "c");
    t.next.file("d/state", "n").file("d/conf", "n");
    const Merged m(t, rules({"restore *", "ignore */state"}));
    EXPECT_EQ(m.result.at("d/state"), "file c");
    EXPECT_EQ(m.result.at("d/conf"), "file n");
    EXPECT_EQ(m.result.at("e/state"), "file c");
    EXPECT_EQ(m.result.at("e/conf"), "none");
}

TEST(EtcRule, IgnoredInANewDirectoryOfTheVendorStaysOut) {
    Trees t;
    t.next.file("d/state", "n").file("d/conf", "n");
    const Merged m(t, rules({"ignore d/state"}));
    EXPECT_EQ(m.result.at("d/conf"), "file n");
    EXPECT_EQ(m.result.at("d/state"), "none");
}

TEST(EtcRule, KeepTakeAndBothLeaveWhatOnlyOneSideChanged) {
    for (const char* line : {"keep *", "take *", "both *"}) {
        Trees t;
        t.all([](Tree& x) { x.file("mine", "0").file("theirs", "0").file("gone", "0"); });
        t.current.file("mine", "c").file("added", "c").remove("gone");
        t.next.file("theirs", "n").file("new", "n");
        const Merged with(t, rules({line}));
        EXPECT_EQ(with.result.listing(), Merged(t).result.listing()) << line;
    }
}

TEST(EtcBeside, AnUntouchedOlderCopyGivesWayToTheNewerOne) {
    const Rules both = rules({"both a"});
    Trees first;
    first.all([](Tree& x) { x.file("a", "0"); });
    first.current.file("a", "mine");
    first.next.file("a", "1");
    const Merged one(first, both);
    ASSERT_EQ(one.result.at("a.new"), "file 1");
    Trees second;
    second.pristine.file("a", "1");
    second.current.file("a", "mine").file("a.new", "1");
    second.next.file("a", "2");
    const Merged two(second, both);
    EXPECT_EQ(two.result.at("a"), "file mine");
    EXPECT_EQ(two.result.at("a.new"), "file 2");
}

TEST(EtcBeside, AnEditedCopyAndANameInUseStay) {
    const Rules both = rules({"both *"});
    Trees t;
    t.all([](Tree& x) { x.file("edited", "0").file("theirs", "0"); });
    t.current.file("edited", "c").file("edited.new", "my notes").file("theirs", "c");
    t.next.file("edited", "n").file("theirs", "n").file("theirs.new", "of the image");
    const Merged m(t, both);
    EXPECT_EQ(m.result.at("edited.new"), "file my notes");
    EXPECT_EQ(m.result.at("theirs.new"), "file of the image");
    EXPECT_EQ(m.change("edited"), "kept-local!");
}

TEST(EtcBeside, ACopyHasTheVendorsMetadata) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "0"); });
    t.current.file("a", "c");
    t.next.file("a", "n").owner("a", 5, 6).mode("a", 0640).xattr("a", "user.x", "n");
    const Merged m(t, rules({"both a"}));
    EXPECT_EQ(m.result.owner_of("a.new"), "5:6");
    EXPECT_EQ(m.result.mode_of("a.new"), 0640U);
    EXPECT_EQ(m.result.xattr_of("a.new", "user.x"), "n");
}

const std::string kRoot = "root:x:0:0:root:/root:/bin/bash\n";
const std::string kMine = "mine:x:1000:1000::/home/mine:/bin/bash\n";
const std::string kNew = "new:x:900:900::/:/usr/sbin/nologin\n";

class EtcAccountRule : public ::testing::Test {
 protected:
    EtcAccountRule() {
        t_.all([](Tree& x) { x.file("passwd", kRoot).file("shadow", "root:*:1::::::\n"); });
        t_.current.file("passwd", kRoot + kMine).file("shadow", "root:*:1::::::\nmine:p:1::::::\n");
        t_.next.file("passwd", kRoot + kNew).file("shadow", "root:*:1::::::\nnew:!:1::::::\n");
    }

    Trees t_;
};

TEST_F(EtcAccountRule, WhoWinsDoesNotKeepUsersOut) {
    const std::string merged = Merged(t_).result.listing();
    for (const char* line : {"keep *", "take *", "both *"})
        EXPECT_EQ(Merged(t_, rules({line})).result.listing(), merged) << line;
}

TEST_F(EtcAccountRule, ForOneHalfCountsForBoth) {
    EXPECT_EQ(Merged(t_, rules({"ignore passwd"})).result.listing(), t_.current.listing());
    EXPECT_EQ(Merged(t_, rules({"restore passwd"})).result.listing(), t_.next.listing());
    // Alone it would leave password lines without their users.
    EXPECT_EQ(Merged(t_, rules({"restore shadow"})).result.listing(), Merged(t_).result.listing());
}

TEST_F(EtcAccountRule, ATakenIdIsNoConflictWhereTheFilesAreNotMerged) {
    t_.current.file("passwd", kRoot + "mine:x:900:900::/:/bin/sh\n");
    EXPECT_EQ(conflicts(t_.plan()), "passwd");
    EXPECT_EQ(conflicts(t_.plan(rules({"ignore passwd"}))), "");
}

}  // namespace
}  // namespace cfs::etc
