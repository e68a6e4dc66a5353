// SPDX-License-Identifier: Apache-2.0
// Every situation of the first table of the merge facts (ostree's), with what happens here.
#include "base/error.hpp"
#include "unit/etc/tree.hpp"

#include <gtest/gtest.h>

namespace cfs::etc {
namespace {

using test::conflicts;
using test::Merged;
using test::Tree;
using test::Trees;

TEST(EtcMergeRow, A01_UntouchedFileFollowsTheVendor) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "old"); });
    t.next.file("a", "new");
    const Merged m(t);
    EXPECT_EQ(m.result.at("a"), "file new");
    EXPECT_EQ(m.change("a"), "vendor-update");
}

TEST(EtcMergeRow, A02_ChangedContentIsKeptWhole) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "old"); });
    t.current.file("a", "mine", 0600).owner("a", 12, 34).mtime("a", 1234567890);
    t.next.file("a", "new");
    const Merged m(t);
    EXPECT_EQ(m.result.at("a"), "file mine");
    EXPECT_EQ(m.result.mode_of("a"), 0600U);
    EXPECT_EQ(m.result.owner_of("a"), "12:34");
    EXPECT_EQ(m.result.stat_of("a").st_mtim.tv_sec, 1234567890);
    EXPECT_EQ(m.change("a"), "kept-local!");
}

TEST(EtcMergeRow, A02_ChangedContentIsKeptWhenTheVendorStoodStill) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "old"); });
    t.current.file("a", "mine");
    const Merged m(t);
    EXPECT_EQ(m.result.at("a"), "file mine");
    EXPECT_EQ(m.change("a"), "kept-local");
}

TEST(EtcMergeRow, A03_DeletedFileStaysDeleted) {
    Trees t;
    t.all([](Tree& x) { x.file("same", "1").file("changed", "1"); });
    t.current.remove("same").remove("changed");
    t.next.file("changed", "2");
    const Merged m(t);
    EXPECT_EQ(m.result.at("same"), "none");
    EXPECT_EQ(m.result.at("changed"), "none");
    EXPECT_EQ(m.change("same"), "deleted-local");
    EXPECT_EQ(m.change("changed"), "deleted-local!");
}

TEST(EtcMergeRow, A04_DeletedFileThatBecameADirectoryStaysDeleted) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "1"); });
    t.current.remove("a");
    t.next.remove("a").file("a/in", "2");
    const Merged m(t);
    EXPECT_EQ(m.result.at("a"), "none");
    EXPECT_EQ(m.change("a"), "deleted-local!");
}

TEST(EtcMergeRow, A05_DeletedDirectoryStaysDeletedWithWhatTheVendorAdds) {
    Trees t;
    t.all([](Tree& x) { x.file("d/one", "1"); });
    t.current.remove("d");
    t.next.file("d/two", "2");
    const Merged m(t);
    EXPECT_EQ(m.result.at("d"), "none");
    EXPECT_EQ(m.change("d"), "deleted-local!");
}

TEST(EtcMergeRow, A06_ModeAndOwnerDoNotFreezeContent) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "old").file("b", "old"); });
    t.current.mode("a", 0600).owner("b", 7, 8);
    t.next.file("a", "new").file("b", "new");
    const Merged m(t);
    EXPECT_EQ(m.result.at("a"), "file new");
    EXPECT_EQ(m.result.mode_of("a"), 0600U);
    EXPECT_EQ(m.result.at("b"), "file new");
    EXPECT_EQ(m.result.owner_of("b"), "7:8");
    EXPECT_EQ(m.change("a"), "merged");
    EXPECT_EQ(m.change("b"), "merged");
}

TEST(EtcMergeRow, A07_AttributeIsKeptAndContentUpdated) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "old"); });
    t.current.xattr("a", "user.note", "mine");
    t.next.file("a", "new");
    const Merged m(t);
    EXPECT_EQ(m.result.at("a"), "file new");
    EXPECT_EQ(m.result.xattr_of("a", "user.note"), "mine");
    EXPECT_EQ(m.change("a"), "merged");
}

TEST(EtcMergeRow, A07_RelabellingIsNoLocalChange) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "old").xattr("a", "security.selinux", "u:r:old_t"); });
    t.current.xattr("a", "security.selinux", "u:r:local_t");
    t.next.file("a", "new").xattr("a", "security.selinux", "u:r:new_t");
    const Merged m(t);
    EXPECT_EQ(m.result.at("a"), "file new");
    EXPECT_EQ(m.result.xattr_of("a", "security.selinux"), "u:r:new_t");
    EXPECT_EQ(m.change("a"), "vendor-update");
}

TEST(EtcMergeRow, A08_DirectoryMetadataAloneIsKept) {
    Trees t;
    t.all([](Tree& x) { x.file("d/f", "1"); });
    t.current.mode("d", 0700).owner("d", 5, 6);
    t.next.file("d/f", "2");
    const Merged m(t);
    EXPECT_EQ(m.result.mode_of("d"), 0700U);
    EXPECT_EQ(m.result.owner_of("d"), "5:6");
    EXPECT_EQ(m.result.at("d/f"), "file 2");
    EXPECT_EQ(m.change("d"), "metadata-local");
}

TEST(EtcMergeRow, A09_DirectoryMetadataAndChildAreKept) {
    Trees t;
    t.all([](Tree& x) { x.file("d/f", "1"); });
    t.current.mode("d", 0700).file("d/f", "mine");
    const Merged m(t);
    EXPECT_EQ(m.result.mode_of("d"), 0700U);
    EXPECT_EQ(m.result.at("d/f"), "file mine");
}

TEST(EtcMergeRow, A10_VendorsDirectoryModeArrivesBesideAChangedChild) {
    Trees t;
    t.all([](Tree& x) { x.file("d/f", "1"); });
    t.current.file("d/f", "mine");
    t.next.mode("d", 0750);
    const Merged m(t);
    EXPECT_EQ(m.result.mode_of("d"), 0750U);
    EXPECT_EQ(m.result.at("d/f"), "file mine");
    EXPECT_EQ(m.change("d"), "vendor-update");
}

TEST(EtcMergeRow, A11_ChangedFileSurvivesItsRemoval) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "1"); });
    t.current.file("a", "mine");
    t.next.remove("a");
    const Merged m(t);
    EXPECT_EQ(m.result.at("a"), "file mine");
    EXPECT_EQ(m.change("a"), "kept-local!");
}

TEST(EtcMergeRow, A12_UntouchedFileIsRemoved) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "1").file("d/f", "1"); });
    t.next.remove("a").remove("d");
    const Merged m(t);
    EXPECT_EQ(m.result.at("a"), "none");
    EXPECT_EQ(m.result.at("d"), "none");
    EXPECT_EQ(m.change("a"), "removed-by-vendor");
    EXPECT_EQ(m.change("d"), "removed-by-vendor");
}

TEST(EtcMergeRow, A13_RemovedDirectoryWithLocalMetadataStaysEmpty) {
    Trees t;
    t.all([](Tree& x) { x.file("d/f", "1"); });
    t.current.mode("d", 0711);
    t.next.remove("d");
    const Merged m(t);
    EXPECT_EQ(m.result.at("d"), "dir");
    EXPECT_EQ(m.result.mode_of("d"), 0711U);
    EXPECT_EQ(m.result.at("d/f"), "none");
    EXPECT_EQ(m.change("d"), "kept-local!");
}

TEST(EtcMergeRow, A14_EqualByAccidentFollowsTheVendorAgain) {
    Trees first;
    first.all([](Tree& x) { x.file("a", "1"); });
    first.current.file("a", "2");
    first.next.file("a", "2");
    const Merged m(first);
    EXPECT_EQ(m.result.at("a"), "file 2");
    EXPECT_EQ(m.change("a"), "");
    Trees second;
    second.pristine.file("a", "2");
    second.current.file("a", "2");
    second.next.file("a", "3");
    EXPECT_EQ(Merged(second).result.at("a"), "file 3");
}

TEST(EtcMergeRow, A15_AdditionsOfEveryKindAreKept) {
    Trees t;
    t.all([](Tree& x) { x.file("vendor", "1"); });
    t.current.file("f", "mine", 0640)
        .dir("empty", 0733)
        .link("dangling", "/no/such/thing")
        .file("a/b/c/d/deep", "x", 0604);
    t.current.mode("a", 0701).mode("a/b", 0775).mode("a/b/c", 01777).mode("a/b/c/d", 02750);
    t.next.file("vendor", "2");
    const Merged m(t);
    EXPECT_EQ(m.result.at("f"), "file mine");
    EXPECT_EQ(m.result.mode_of("f"), 0640U);
    EXPECT_EQ(m.result.mode_of("empty"), 0733U);
    EXPECT_EQ(m.result.at("dangling"), "link /no/such/thing");
    EXPECT_EQ(m.result.at("a/b/c/d/deep"), "file x");
    EXPECT_EQ(m.result.mode_of("a"), 0701U);
    EXPECT_EQ(m.result.mode_of("a/b"), 0775U);
    EXPECT_EQ(m.result.mode_of("a/b/c"), 01777U);
    EXPECT_EQ(m.result.mode_of("a/b/c/d"), 02750U);
    EXPECT_EQ(m.change("a/b/c/d/deep"), "added-local");
}

TEST(EtcMergeRow, A16_RetargetedLinkIsKept) {
    Trees t;
    t.all([](Tree& x) { x.link("l", "old"); });
    t.current.remove("l").link("l", "mine");
    t.next.remove("l").link("l", "new");
    const Merged m(t);
    EXPECT_EQ(m.result.at("l"), "link mine");
    EXPECT_EQ(m.change("l"), "kept-local!");
}

TEST(EtcMergeRow, A17_FileMadeALinkIsKept) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "1"); });
    t.current.remove("a").link("a", "/dev/null");
    t.next.file("a", "2");
    const Merged m(t);
    EXPECT_EQ(m.result.at("a"), "link /dev/null");
    EXPECT_EQ(m.change("a"), "kept-local!");
}

TEST(EtcMergeRow, A18_FileMadeADirectoryIsKeptWithEverythingInIt) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "1"); });
    t.current.remove("a").file("a/x/y", "mine");
    const Merged same(t);
    EXPECT_EQ(same.result.at("a/x/y"), "file mine");
    EXPECT_EQ(same.change("a"), "kept-local");
    t.next.file("a", "2");
    const Merged changed(t);
    EXPECT_EQ(changed.result.at("a/x/y"), "file mine");
    EXPECT_EQ(changed.change("a"), "kept-local!");
}

TEST(EtcMergeRow, A19_DirectoryMadeALeafNeverBlocksAnUpdate) {
    Trees t;
    t.all([](Tree& x) { x.file("tolink/f", "1").file("tofile/f", "1"); });
    t.current.remove("tolink").link("tolink", "/srv/x").remove("tofile").file("tofile", "mine");
    const Merged same(t);
    EXPECT_EQ(same.result.at("tolink"), "link /srv/x");
    EXPECT_EQ(same.result.at("tofile"), "file mine");
    EXPECT_EQ(same.change("tolink"), "kept-local");
    t.next.file("tolink/more", "2");
    const Merged changed(t);
    EXPECT_EQ(changed.result.at("tolink"), "link /srv/x");
    EXPECT_EQ(changed.change("tolink"), "kept-local!");
}

TEST(EtcMergeRow, A20_AddedFileAgainstNewDirectoryIsAConflict) {
    Trees t;
    t.current.file("a", "mine");
    t.next.file("a/f", "new");
    const Merged m(t);
    EXPECT_EQ(conflicts(m.plan), "a");
    EXPECT_EQ(m.result.at("a"), "file mine");
    EXPECT_EQ(m.result.at("a.new/f"), "file new");
    EXPECT_EQ(m.change("a"), "kept-local!");
    EXPECT_EQ(m.change("a.new"), "vendor-beside");
}

TEST(EtcMergeRow, A21_AddedDirectoryAgainstNewFileIsAConflict) {
    Trees t;
    t.current.file("a/f", "mine");
    t.next.file("a", "new");
    const Merged m(t);
    EXPECT_EQ(conflicts(m.plan), "a");
    EXPECT_EQ(m.result.at("a/f"), "file mine");
    EXPECT_EQ(m.result.at("a.new"), "file new");
}

TEST(EtcMergeRow, A22_ChangedLinkAgainstNewDirectoryIsAConflict) {
    Trees t;
    t.all([](Tree& x) { x.link("l", "old"); });
    t.current.remove("l").link("l", "mine");
    t.next.remove("l").dir("l", 0711);
    const Merged m(t);
    EXPECT_EQ(conflicts(m.plan), "l");
    EXPECT_EQ(m.result.at("l"), "link mine");
    EXPECT_EQ(m.result.mode_of("l.new"), 0711U);
}

TEST(EtcMergeRow, A23_DirectoryMadeAFileOverLocalChangesIsAConflict) {
    Trees t;
    t.all([](Tree& x) { x.file("modified/f", "1").file("deleted/f", "1").file("same/f", "1"); });
    t.current.file("modified/f", "mine").remove("deleted/f");
    for (const char* name : {"modified", "deleted", "same"})
        t.next.remove(name).file(name, "now a file");
    const Merged m(t);
    EXPECT_EQ(conflicts(m.plan), "deleted,modified");
    EXPECT_NE(m.plan.conflicts[1].what.find("'modified/f'"), std::string::npos);
    EXPECT_EQ(m.result.at("modified/f"), "file mine");
    EXPECT_EQ(m.result.at("modified.new"), "file now a file");
    EXPECT_EQ(m.result.at("deleted"), "file now a file");
    EXPECT_EQ(m.result.at("deleted.new"), "none");
    EXPECT_EQ(m.result.at("same"), "file now a file");
}

TEST(EtcMergeRow, A24_ChildIsNeverWrittenThroughANewRelativeLink) {
    Trees t;
    t.all([](Tree& x) { x.file("d/f", "1").file("other/f", "vendor"); });
    t.current.file("d/f", "mine");
    t.next.remove("d").link("d", "other");
    const Merged m(t);
    EXPECT_EQ(conflicts(m.plan), "d");
    EXPECT_EQ(m.result.at("d/f"), "file mine");
    EXPECT_EQ(m.result.at("other/f"), "file vendor");
    EXPECT_EQ(m.result.at("d.new"), "link other");
}

class NewAbsoluteLink : public ::testing::Test {
 protected:
    NewAbsoluteLink() {
        outside_.file("f", "outside");
        trees_.all([](Tree& x) { x.file("d/f", "1"); });
        trees_.next.remove("d").link("d", outside_.real("."));
    }

    ~NewAbsoluteLink() override { EXPECT_EQ(outside_.at("f"), "file outside"); }

    Tree outside_;
    Trees trees_;
};

TEST_F(NewAbsoluteLink, A25_ChangedChildIsAConflictAndNothingIsWrittenOutside) {
    trees_.current.file("d/f", "mine").file("d/added", "mine");
    const Merged m(trees_);
    EXPECT_EQ(conflicts(m.plan), "d");
    EXPECT_EQ(outside_.at("added"), "none");
    EXPECT_EQ(m.result.at("d/added"), "file mine");
    EXPECT_EQ(m.result.at("d.new").substr(0, 5), "link ");
}

TEST_F(NewAbsoluteLink, A26_DeletedChildIsAConflictAndNothingIsDeletedOutside) {
    trees_.current.remove("d/f");
    const Merged m(trees_);
    EXPECT_EQ(conflicts(m.plan), "d");
    EXPECT_EQ(m.result.at("d").substr(0, 5), "link ");
}

TEST_F(NewAbsoluteLink, UntouchedDirectoryBecomesTheLink) {
    const Merged m(trees_);
    EXPECT_EQ(m.result.at("d").substr(0, 5), "link ");
    EXPECT_EQ(m.change("d"), "vendor-update");
}

TEST(EtcMergeRow, A27_SpecialFilesMadeHereAreLeftOutAndReported) {
    Trees t;
    t.all([](Tree& x) { x.file("replaced", "1"); });
    t.current.fifo("pipe").device("whiteout", 0).dir("d").fifo("d/pipe");
    t.current.remove("replaced").fifo("replaced");
    const Merged m(t);
    for (const char* name : {"pipe", "whiteout", "d/pipe"}) {
        EXPECT_EQ(m.result.at(name), "none") << name;
        EXPECT_EQ(m.change(name), "ignored") << name;
    }
    EXPECT_EQ(m.result.at("d"), "dir");
    EXPECT_EQ(m.result.at("replaced"), "file 1");
    EXPECT_EQ(m.change("replaced"), "ignored");
}

TEST(EtcMergeRow, A28_HardLinksOfLocalFilesStayHardLinks) {
    Trees t;
    t.all([](Tree& x) { x.file("vendor", "1"); });
    t.current.file("one", "mine").hard_link("two", "one").hard_link("vendor2", "vendor");
    const Merged m(t);
    EXPECT_EQ(m.result.stat_of("one").st_ino, m.result.stat_of("two").st_ino);
    EXPECT_NE(m.result.stat_of("vendor").st_ino, m.result.stat_of("vendor2").st_ino);
    EXPECT_EQ(m.result.at("vendor2"), "file 1");
}

TEST(EtcMergeRow, A29_SetUserIdOfAChangedFileIsKept) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "1", 0755); });
    t.current.file("a", "mine").owner("a", 9, 9).mode("a", 06755);
    const Merged m(t);
    EXPECT_EQ(m.result.mode_of("a"), 06755U);
    EXPECT_EQ(m.result.owner_of("a"), "9:9");
}

}  // namespace
}  // namespace cfs::etc
