// SPDX-License-Identifier: Apache-2.0
#include "etc/accounts.hpp"

#include "unit/etc/tree.hpp"

#include <gtest/gtest.h>

namespace cfs::etc {
namespace {

using test::conflicts;
using test::Merged;
using test::Tree;
using test::Trees;
using Texts = std::map<std::string, AccountTexts>;

const std::string kRoot = "root:x:0:0:root:/root:/bin/bash\n";
const std::string kDaemon = "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n";
const std::string kMine = "mine:x:1000:1000::/home/mine:/bin/bash\n";
const std::string kNew = "new:x:900:900::/:/usr/sbin/nologin\n";

/// Result of one file merged alone; "(whole file)" where the lines were not looked at.
std::string merged(const std::string& name, const AccountTexts& texts) {
    const AccountMerge out = merge_accounts({{name, texts}});
    return out.files.contains(name) ? out.files.at(name).text : "(whole file)";
}

/// Result of shadow beside a passwd in which nothing changes.
std::string merged_shadow(const AccountTexts& texts) {
    const std::string users = kRoot + kMine + "d:x:5:5::/:/s\nu:x:6:6::/:/s\nx:x:7:7::/:/s\n";
    return merge_accounts({{"passwd", {users, users, users}}, {"shadow", texts}})
        .files.at("shadow")
        .text;
}

std::string all_conflicts(const AccountMerge& merge) {
    std::string out;
    for (const Conflict& conflict : merge.conflicts)
        out += conflict.path + ": " + conflict.what + "\n";
    return out;
}

TEST(EtcAccounts, UsersOfBothSidesAreThere) {
    EXPECT_EQ(merged("passwd", {kRoot, kRoot + kMine, kRoot + kDaemon + kNew}),
              kRoot + kMine + kDaemon + kNew);
}

TEST(EtcAccounts, ADeletedUserStaysDeletedAndAGoneOneGoes) {
    EXPECT_EQ(merged("passwd", {kRoot + kDaemon + kNew, kRoot + kNew + kMine, kRoot + kDaemon}),
              kRoot + kMine);
}

TEST(EtcAccounts, OneSidedChangesAreLeftToTheRuleForFiles) {
    EXPECT_EQ(merged("passwd", {kRoot, kRoot + kMine, kRoot}), "(whole file)");
    EXPECT_EQ(merged("passwd", {kRoot, kRoot, kRoot + kNew}), "(whole file)");
    EXPECT_EQ(merged("passwd", {kRoot, kRoot + kNew, kRoot + kNew}), "(whole file)");
}

TEST(EtcAccounts, FieldsOfOneLineAreDecidedApart) {
    const AccountMerge out = merge_accounts({{"passwd",
                                              {"u:x:5:5:old:/old:/bin/sh\n",
                                               "u:x:5:5:mine:/old:/bin/zsh\n",
                                               "u:x:5:5:new:/new:/bin/sh\n"}}});
    EXPECT_EQ(out.files.at("passwd").text, "u:x:5:5:mine:/new:/bin/zsh\n");
    EXPECT_TRUE(out.files.at("passwd").withheld);
}

TEST(EtcAccounts, MembersAreMergedNameByName) {
    EXPECT_EQ(
        merged("group",
               {"video:x:44:old,gone\n", "video:x:44:old,gone,mine\n", "video:x:44:old,new\n"}),
        "video:x:44:old,mine,new\n");
    EXPECT_EQ(merged("group", {"a:x:1:\n", "a:x:1:mine\n", "a:x:2:\n"}), "a:x:2:mine\n");
}

TEST(EtcAccounts, CommentsBlankLinesAndOrderAreKept) {
    EXPECT_EQ(merged("passwd", {kRoot, "# mine\n" + kMine + "\n" + kRoot, kRoot + kNew}),
              "# mine\n" + kMine + "\n" + kRoot + kNew);
}

TEST(EtcAccounts, NewLinesStandBeforeTheCompatibilityLine) {
    EXPECT_EQ(merged("passwd", {kRoot, kRoot + "+::::::\n", kRoot + kNew}),
              kRoot + kNew + "+::::::\n");
}

TEST(EtcAccounts, AMissingLastNewlineGluesNothingTogether) {
    EXPECT_EQ(merged("passwd", {kRoot, kRoot + "mine:x:7:7::/:/bin/sh", kRoot + kNew}),
              kRoot + "mine:x:7:7::/:/bin/sh\n" + kNew);
}

TEST(EtcAccounts, ANameWithTwoLinesIsLeftToTheRuleForFiles) {
    EXPECT_EQ(merged("passwd", {kRoot, kMine + kMine, kRoot + kNew}), "(whole file)");
}

TEST(EtcAccounts, ATakenUserIdIsAConflictAndInNeitherHalf) {
    const AccountMerge out = merge_accounts(
        {{"passwd", {kRoot, kRoot + "mine:x:900:900::/:/bin/sh\n", kRoot + kNew}},
         {"shadow", {"root:*:1::::::\n", "root:*:1::::::\n", "root:*:1::::::\nnew:!:1::::::\n"}}});
    EXPECT_EQ(all_conflicts(out),
              "passwd: the new image gives the UID 900 to 'new', and here it is 'mine'\n");
    EXPECT_EQ(out.files.at("passwd").text, kRoot + "mine:x:900:900::/:/bin/sh\n");
    EXPECT_EQ(out.files.at("shadow").text, "root:*:1::::::\n");
    EXPECT_TRUE(out.files.at("passwd").withheld);
}

TEST(EtcAccounts, ATakenGroupIdIsAConflict) {
    const AccountMerge out = merge_accounts(
        {{"group", {"root:x:0:\n", "root:x:0:\nmine:x:44:\n", "root:x:0:\nvideo:x:44:\n"}}});
    EXPECT_EQ(all_conflicts(out),
              "group: the new image gives the GID 44 to 'video', and here it is 'mine'\n");
}

TEST(EtcAccounts, AChangedIdThatIsTakenIsAConflictAndTheRestFollows) {
    const AccountMerge out = merge_accounts({{"passwd",
                                              {"a:x:10:10::/:/s\n",
                                               "a:x:10:10::/:/s\nmine:x:20:20::/:/s\n",
                                               "a:x:20:20::/:/s\nb:x:10:10::/:/s\n"}}});
    // 'a' stays 10 because 20 is taken, and so the new 'b' cannot have 10 either.
    EXPECT_EQ(out.conflicts.size(), 2U) << all_conflicts(out);
    EXPECT_EQ(out.files.at("passwd").text, "a:x:10:10::/:/s\nmine:x:20:20::/:/s\n");
}

TEST(EtcAccounts, SharedIdsOfTheVendorAreNoConflict) {
    const AccountMerge out =
        merge_accounts({{"passwd", {kRoot, kRoot + kMine, kRoot + "toor:x:0:0::/root:/bin/sh\n"}}});
    EXPECT_TRUE(out.conflicts.empty());
    EXPECT_EQ(out.files.at("passwd").text, kRoot + kMine + "toor:x:0:0::/root:/bin/sh\n");
}

TEST(EtcAccounts, ALockedEntryIsNotOpened) {
    EXPECT_EQ(
        merged_shadow({"root:$y$old:1::::::\n", "root:!$y$old:1::::::\n", "root:$y$new:2::::::\n"}),
        "root:!$y$old:1::::::\n");
    // Untouched here, but closed: an image does not hand out a password.
    EXPECT_EQ(merged_shadow({"root:*:1::::::\nx:*:1::::::\n",
                             "root:*:1::::::\nx:!:9::::::\n",
                             "root:$y$new:2::::::\nx:*:1::::::\n"}),
              "root:*:1::::::\nx:!:9::::::\n");
}

TEST(EtcAccounts, AnExpiredEntryStaysExpired) {
    EXPECT_EQ(merged_shadow({"u:$y$p:1:0:9:7:::\n", "u:$y$p:1:0:9:7::1:\n", "u:$y$n:2:0:9:7:::\n"}),
              "u:$y$p:1:0:9:7::1:\n");
}

TEST(EtcAccounts, LocksOfOneSideDoNotHideOtherUpdates) {
    EXPECT_EQ(merged_shadow(
                  {"d:*:1:0:9:7:::\n", "d:*:1:0:9:7:::\nmine:$y$p:5::::::\n", "d:*:2:0:9:7:::\n"}),
              "d:*:2:0:9:7:::\nmine:$y$p:5::::::\n");
}

TEST(EtcAccounts, AVendorsUserInUseHereKeepsBothHalves) {
    const AccountMerge out = merge_accounts({{"passwd", {kRoot + kDaemon, kRoot + kDaemon, kRoot}},
                                             {"shadow",
                                              {"root:*:1::::::\ndaemon:*:1::::::\n",
                                               "root:*:1::::::\ndaemon:$y$set:9::::::\n",
                                               "root:*:1::::::\n"}}});
    EXPECT_EQ(out.files.at("passwd").text, kRoot + kDaemon);
    EXPECT_EQ(out.files.at("shadow").text, "root:*:1::::::\ndaemon:$y$set:9::::::\n");
    EXPECT_TRUE(out.files.at("passwd").withheld);
}

TEST(EtcAccounts, NoPasswordLineAppearsWithoutItsUser) {
    const AccountMerge out =
        merge_accounts({{"passwd", {kRoot + kDaemon, kRoot, kRoot + kDaemon + kNew}},
                        {"shadow",
                         {"root:*:1::::::\n",
                          "root:*:2::::::\n",
                          "root:*:1::::::\ndaemon:*:1::::::\nnew:*:1::::::\n"}}});
    EXPECT_EQ(out.files.at("passwd").text, kRoot + kNew);
    EXPECT_EQ(out.files.at("shadow").text, "root:*:2::::::\nnew:*:1::::::\n");
}

TEST(EtcAccounts, RangesAreSetsOfLines) {
    const std::string a = "a:100000:65536\n";
    const std::string b = "b:165536:65536\n";
    const std::string c = "c:231072:65536\n";
    EXPECT_EQ(merged("subuid", {a, a + b, a + c}), a + b + c);
    EXPECT_EQ(merged("subgid", {a + b, b + c, a + b + "d:400000:10\n"}), b + c + "d:400000:10\n");
}

TEST(EtcAccounts, AnOverlappingRangeOfAnotherNameIsAConflict) {
    const AccountMerge out = merge_accounts(
        {{"subuid", {"", "mine:100000:65536\n", "new:165535:10\nmine:300000:65536\n"}}});
    EXPECT_EQ(
        all_conflicts(out),
        "subuid: the range 'new:165535:10' of the new image overlaps the one of 'mine' here\n");
    EXPECT_EQ(out.files.at("subuid").text, "mine:100000:65536\nmine:300000:65536\n");
}

TEST(EtcAccounts, TextsOfAnyKindDoNotBreakIt) {
    for (const char* text :
         {"", ":", "::::\n", "x\n", "x:x:99999999999:\n", "\n\n\n", ":x:1:1\n:x:1:1"}) {
        Texts texts;
        for (const std::string& name : account_files())
            texts[name] = {text, std::string(text) + "a:x:1:\n", std::string(text) + "b:x:2:\n"};
        EXPECT_NO_THROW((void)merge_accounts(texts)) << text;
    }
}

TEST(EtcAccountsInTrees, MergedFilesHaveMetadataLikeAnyOther) {
    Trees t;
    t.all([](Tree& x) { x.file("passwd", kRoot).file("shadow", "root:*:1::::::\n", 0640); });
    t.current.file("passwd", kRoot + kMine).file("shadow", "root:*:1::::::\nmine:p:1::::::\n");
    t.current.owner("shadow", 0, 42).mode("shadow", 0640);
    t.next.file("passwd", kRoot + kNew).file("shadow", "root:*:1::::::\nnew:!:1::::::\n");
    t.next.mode("shadow", 0640).xattr("passwd", "security.selinux", "passwd_file_t");
    t.current.mtime("passwd", 50);
    t.next.mtime("passwd", 40);
    const Merged m(t);
    EXPECT_EQ(m.result.at("passwd"), "file " + kRoot + kMine + kNew);
    EXPECT_EQ(m.result.at("shadow"), "file root:*:1::::::\nmine:p:1::::::\nnew:!:1::::::\n");
    EXPECT_EQ(m.result.owner_of("shadow"), "0:42");
    EXPECT_EQ(m.result.mode_of("shadow"), 0640U);
    EXPECT_EQ(m.result.xattr_of("passwd", "security.selinux"), "passwd_file_t");
    EXPECT_EQ(m.result.stat_of("passwd").st_mtim.tv_sec, 50);
    EXPECT_EQ(m.change("passwd"), "merged");
    EXPECT_EQ(m.change("shadow"), "merged");
    EXPECT_EQ(m.plan.result_bytes,
              m.result.stat_of("passwd").st_size + m.result.stat_of("shadow").st_size);
}

TEST(EtcAccountsInTrees, OnlyTheFilesAtTheTopAreMeant) {
    Trees t;
    t.all([](Tree& x) { x.file("d/passwd", kRoot); });
    t.current.file("d/passwd", kRoot + kMine);
    t.next.file("d/passwd", kRoot + kNew);
    EXPECT_EQ(Merged(t).result.at("d/passwd"), "file " + kRoot + kMine);
}

TEST(EtcAccountsInTrees, ATakenIdIsReportedAndTheMergeGoesOn) {
    Trees t;
    t.all([](Tree& x) { x.file("passwd", kRoot); });
    t.current.file("passwd", kRoot + "mine:x:900:900::/:/bin/sh\n");
    t.next.file("passwd", kRoot + kNew);
    const Merged m(t);
    ASSERT_EQ(conflicts(m.plan), "passwd");
    EXPECT_EQ(m.plan.conflicts[0].kind, ConflictKind::Id);
    EXPECT_EQ(m.plan.conflicts[0].resolution, "the new image's line is left out");
    EXPECT_EQ(m.result.listing(), t.current.listing());
}

TEST(EtcAccountsInTrees, ALinkInsteadOfTheFileIsLeftToTheRuleForFiles) {
    Trees t;
    t.all([](Tree& x) { x.file("passwd", kRoot); });
    t.current.remove("passwd").link("passwd", "/srv/passwd");
    t.next.file("passwd", kRoot + kNew);
    const Merged m(t);
    EXPECT_EQ(m.result.at("passwd"), "link /srv/passwd");
    EXPECT_EQ(m.change("passwd"), "kept-local!");
}

}  // namespace
}  // namespace cfs::etc
