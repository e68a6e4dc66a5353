// SPDX-License-Identifier: Apache-2.0
// Every situation of the second table of the merge facts (bootc's) that the first has not, or in
// which its outcome there was another one, with what happens here.
#include "base/error.hpp"
#include "unit/etc/tree.hpp"

#include <gtest/gtest.h>

namespace cfs::etc {
namespace {

using test::conflicts;
using test::Merged;
using test::Tree;
using test::Trees;

TEST(EtcMergeRow, B01_UntouchedFileFollowsTheVendor) {
    Trees t;
    t.all([](Tree& x) { x.file("d/a", "old"); });
    t.next.file("d/a", "new").file("d/b", "also new");
    const Merged m(t);
    EXPECT_EQ(m.result.listing(), t.next.listing());
}

TEST(EtcMergeRow, B02_ChangedFileKeepsItsTime) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "old"); });
    t.current.file("a", "mine").mtime("a", 86400);
    EXPECT_EQ(Merged(t).result.stat_of("a").st_mtim.tv_sec, 86400);
}

TEST(EtcMergeRow, B03_DeletionsHoldWhateverTheVendorHas) {
    Trees t;
    t.all([](Tree& x) { x.file("file", "1").file("dir/f", "1").link("link", "x"); });
    t.current.remove("file").remove("dir").remove("link");
    t.next.remove("file").file("file/now/deep", "2");
    t.next.remove("dir").file("dir", "now a file");
    t.next.remove("link").file("link", "now a file");
    const Merged m(t);
    EXPECT_EQ(m.result.listing(), t.current.listing());
    for (const char* name : {"file", "dir", "link"})
        EXPECT_EQ(m.change(name), "deleted-local!") << name;
}

TEST(EtcMergeRow, B06_ModeAloneDoesNotFreezeContent) {
    Trees t;
    t.all([](Tree& x) { x.file("d/a", "old"); });
    t.current.mode("d/a", 0400);
    t.next.file("d/a", "new", 0664);
    const Merged m(t);
    EXPECT_EQ(m.result.at("d/a"), "file new");
    EXPECT_EQ(m.result.mode_of("d/a"), 0400U);
    EXPECT_EQ(m.change("d/a"), "merged!");
}

TEST(EtcMergeRow, B07_AddedAndRemovedAttributesDoNotFreezeContent) {
    Trees t;
    t.all(
        [](Tree& x) { x.file("plus", "old").file("minus", "old").xattr("minus", "user.a", "1"); });
    t.current.xattr("plus", "user.b", "2").no_xattr("minus", "user.a");
    t.next.file("plus", "new").file("minus", "new");
    const Merged m(t);
    EXPECT_EQ(m.result.at("plus"), "file new");
    EXPECT_EQ(m.result.xattr_of("plus", "user.b"), "2");
    EXPECT_EQ(m.result.at("minus"), "file new");
    EXPECT_EQ(m.result.xattr_of("minus", "user.a"), "(none)");
}

TEST(EtcMergeRow, B07c_AttributeRemovedFromADirectoryStaysRemoved) {
    Trees t;
    t.all([](Tree& x) { x.dir("d").xattr("d", "user.a", "1"); });
    t.current.no_xattr("d", "user.a");
    const Merged m(t);
    EXPECT_EQ(m.result.xattr_of("d", "user.a"), "(none)");
    EXPECT_EQ(m.change("d"), "metadata-local");
}

TEST(EtcMergeRow, B07d_LabelOfTheNewImageIsTakenForKeptContent) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "old").xattr("a", "security.selinux", "old_t"); });
    t.current.file("a", "mine").file("added", "x");
    t.current.xattr("added", "security.selinux", "added_t");
    t.next.xattr("a", "security.selinux", "new_t");
    const Merged m(t);
    EXPECT_EQ(m.result.at("a"), "file mine");
    EXPECT_EQ(m.result.xattr_of("a", "security.selinux"), "new_t");
    EXPECT_EQ(m.result.xattr_of("added", "security.selinux"), "added_t");
    EXPECT_EQ(m.change("a"), "kept-local");
}

TEST(EtcMergeRow, B08_DirectoryMetadataIsKeptAndChildrenUpdate) {
    Trees t;
    t.all([](Tree& x) { x.file("d/f", "1"); });
    t.current.mode("d", 0775);
    t.next.file("d/f", "2").file("d/g", "2");
    const Merged m(t);
    EXPECT_EQ(m.result.mode_of("d"), 0775U);
    EXPECT_EQ(m.result.at("d/f"), "file 2");
    EXPECT_EQ(m.result.at("d/g"), "file 2");
}

TEST(EtcMergeRow, B13b_ChangedChildOfARemovedDirectoryIsAllThatStays) {
    Trees t;
    t.all([](Tree& x) { x.file("d/f", "1").file("d/g", "1").mode("d", 0751); });
    t.current.file("d/f", "mine");
    t.next.remove("d");
    const Merged m(t);
    EXPECT_EQ(m.result.mode_of("d"), 0751U);
    EXPECT_EQ(m.result.at("d/f"), "file mine");
    EXPECT_EQ(m.result.at("d/g"), "none");
    EXPECT_EQ(m.change("d"), "kept-local!");
    EXPECT_EQ(m.change("d/g"), "removed-by-vendor");
}

TEST(EtcMergeRow, B16_LinkAndFileChangesOfLeavesAreKept) {
    Trees t;
    t.all([](Tree& x) { x.file("vendorlink", "1").link("mylink", "old").link("myfile", "old"); });
    t.current.file("vendorlink", "mine").remove("mylink").link("mylink", "mine");
    t.current.remove("myfile").file("myfile", "mine");
    t.next.remove("vendorlink").link("vendorlink", "new");
    const Merged m(t);
    EXPECT_EQ(m.result.at("vendorlink"), "file mine");
    EXPECT_EQ(m.result.at("mylink"), "link mine");
    EXPECT_EQ(m.result.at("myfile"), "file mine");
    EXPECT_EQ(m.change("vendorlink"), "kept-local!");
    EXPECT_EQ(m.change("mylink"), "kept-local");
}

TEST(EtcMergeRow, B18_FileMadeADirectoryIsNoConflict) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "1"); });
    t.current.remove("a").file("a/f", "mine");
    EXPECT_EQ(Merged(t).result.listing(), t.current.listing());
}

TEST(EtcMergeRow, B18b_ChildrenSurviveWhenTheVendorRemovedTheFile) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "1"); });
    t.current.remove("a").file("a/f", "mine");
    t.next.remove("a");
    const Merged m(t);
    EXPECT_EQ(m.result.at("a/f"), "file mine");
    EXPECT_EQ(m.change("a"), "kept-local!");
}

TEST(EtcMergeRow, B18c_ChildrenSurviveWhenTheVendorMadeADirectoryToo) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "1"); });
    t.current.remove("a").file("a/f", "mine").file("a/both", "mine");
    t.next.remove("a").file("a/g", "new").file("a/both", "new");
    const Merged m(t);
    EXPECT_EQ(m.result.at("a/f"), "file mine");
    EXPECT_EQ(m.result.at("a/g"), "file new");
    EXPECT_EQ(m.result.at("a/both"), "file mine");
    EXPECT_EQ(m.change("a/both"), "kept-local!");
}

TEST(EtcMergeRow, B21b_NestedClashIsFoundWhilePlanning) {
    Trees t;
    t.current.file("made/here/x", "mine").file("made/here2/x/y", "mine");
    t.next.file("made/here/x/y", "new").file("made/here2/x", "new");
    const Merged m(t);
    EXPECT_EQ(conflicts(m.plan), "made/here/x,made/here2/x");
    EXPECT_EQ(m.result.at("made/here/x"), "file mine");
    EXPECT_EQ(m.result.at("made/here/x.new/y"), "file new");
    EXPECT_EQ(m.result.at("made/here2/x/y"), "file mine");
    EXPECT_EQ(m.result.at("made/here2/x.new"), "file new");
}

TEST(EtcMergeRow, B23b_DeletedChildUnderANewFileIsFoundWhilePlanning) {
    Trees t;
    t.all([](Tree& x) { x.file("d/f", "1").file("d/g", "1"); });
    t.current.remove("d/f");
    t.next.remove("d").file("d", "new");
    const Merged m(t);
    EXPECT_EQ(conflicts(m.plan), "d");
    EXPECT_NE(m.plan.conflicts[0].what.find("'d/f'"), std::string::npos);
    EXPECT_EQ(m.result.at("d"), "file new");
}

TEST(EtcMergeRow, B23c_DirectoryMetadataUnderANewFileIsFoundWhilePlanning) {
    Trees t;
    t.all([](Tree& x) { x.file("d/f", "1"); });
    t.current.mode("d", 0700);
    t.next.remove("d").file("d", "new");
    const Merged m(t);
    EXPECT_EQ(conflicts(m.plan), "d");
    EXPECT_EQ(m.result.at("d"), "file new");
    EXPECT_EQ(m.result.mode_of("d"), 0644U);
}

TEST(EtcMergeRow, B24b_DeletedChildUnderANewLinkIsAConflict) {
    Trees t;
    t.all([](Tree& x) { x.file("d/f", "1").file("other/f", "1"); });
    t.current.remove("d/f");
    t.next.remove("d").link("d", "other");
    const Merged m(t);
    EXPECT_EQ(conflicts(m.plan), "d");
    EXPECT_EQ(m.result.at("d"), "link other");
    EXPECT_EQ(m.result.at("other/f"), "file 1");
}

TEST(EtcMergeRow, B27_SpecialFileInAReplacedDirectoryIsNoLocalChange) {
    Trees t;
    t.all([](Tree& x) { x.file("d/f", "1"); });
    t.current.fifo("d/pipe");
    t.next.remove("d").file("d", "new");
    const Merged m(t);
    EXPECT_EQ(m.result.at("d"), "file new");
    EXPECT_EQ(m.change("d/pipe"), "ignored");
}

TEST(EtcMergeRow, B30_AttributesOfAnyLengthAreCarried) {
    Trees t;
    const std::string ima(600, 'i');
    const std::string note(3000, 'n');
    t.all([&](Tree& x) { x.file("a", "1").xattr("a", "trusted.note", note); });
    t.current.xattr("a", "user.more", std::string(129, 'm'));
    t.next.file("a", "2").xattr("a", "security.ima", ima);
    const Merged m(t);
    EXPECT_EQ(m.result.xattr_of("a", "trusted.note"), note);
    EXPECT_EQ(m.result.xattr_of("a", "user.more"), std::string(129, 'm'));
    EXPECT_EQ(m.result.xattr_of("a", "security.ima"), ima);
}

TEST(EtcMergeRow, B30_AListOfManyNamesIsCarried) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "1"); });
    for (int i = 0; i < 40; ++i) {
        t.current.xattr("a", "user.a-rather-long-name-" + std::to_string(i), std::to_string(i));
    }
    const Merged m(t);
    EXPECT_EQ(m.result.listing(), t.current.listing());
    EXPECT_EQ(m.change("a"), "metadata-local");
}

TEST(EtcMergeRow, B32_OddDirectoryModesAreKept) {
    Trees t;
    t.all([](Tree& x) { x.dir("changed").dir("vendors"); });
    t.current.mode("changed", 0733).dir("added", 0775).dir("sticky", 03777);
    t.next.mode("vendors", 0711).dir("new", 0733);
    const Merged m(t);
    EXPECT_EQ(m.result.mode_of("changed"), 0733U);
    EXPECT_EQ(m.result.mode_of("added"), 0775U);
    EXPECT_EQ(m.result.mode_of("sticky"), 03777U);
    EXPECT_EQ(m.result.mode_of("vendors"), 0711U);
    EXPECT_EQ(m.result.mode_of("new"), 0733U);
}

TEST(EtcMergeRow, AlsoTheUpdateStampIsDropped) {
    Trees t;
    t.current.file(".updated", "stamp").file("d/.updated", "not a stamp");
    t.next.file(".updated", "stamp of the image");
    const Merged m(t);
    EXPECT_EQ(m.result.at(".updated"), "none");
    EXPECT_EQ(m.result.at("d/.updated"), "file not a stamp");
}

TEST(EtcMergeRow, AlsoAnEmptyEtcIsAccepted) {
    Trees t;
    t.current.file("a", "mine");
    EXPECT_EQ(Merged(t).result.at("a"), "file mine");
    const MergeInput none{-1, t.current.fd(), -1};
    const MergePlan plan = plan_merge(none);
    Tree out;
    apply_merge(plan, none, out.fd());
    EXPECT_EQ(out.at("a"), "file mine");
}

TEST(EtcMergeRow, AlsoDeletingAnAbsoluteLinkDoesNotFollowIt) {
    Tree outside;
    outside.file("f", "outside");
    Trees t;
    t.all([&](Tree& x) { x.link("l", outside.real("f")); });
    t.current.remove("l");
    EXPECT_EQ(Merged(t).result.at("l"), "none");
    EXPECT_EQ(outside.at("f"), "file outside");
}

TEST(EtcMergeRow, AlsoVendorsExtraFilesBesideLocalOnesAreKept) {
    Trees t;
    t.all([](Tree& x) { x.file("d/f", "1"); });
    t.current.file("d/f", "mine");
    t.next.file("d/extra", "new").dir("d/empty");
    const Merged m(t);
    EXPECT_EQ(m.result.at("d/f"), "file mine");
    EXPECT_EQ(m.result.at("d/extra"), "file new");
    EXPECT_EQ(m.result.at("d/empty"), "dir");
}

TEST(EtcMergeRow, AlsoAnAddedFileOutlivesItsVendorDirectory) {
    Trees t;
    t.all([](Tree& x) { x.file("d/f", "1"); });
    t.current.file("d/added", "mine");
    t.next.remove("d");
    const Merged m(t);
    EXPECT_EQ(m.result.at("d/added"), "file mine");
    EXPECT_EQ(m.result.at("d/f"), "none");
}

}  // namespace
}  // namespace cfs::etc
