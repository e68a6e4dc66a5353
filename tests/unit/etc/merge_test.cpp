// SPDX-License-Identifier: Apache-2.0
// Plans, conflicts, and what happens when the trees are not what they should be.
#include "etc/merge.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "unit/etc/tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace cfs::etc {
namespace {

using test::conflicts;
using test::Merged;
using test::Tree;
using test::Trees;

ErrorCode code_of(const std::function<void()>& run) {
    try {
        run();
    } catch (const Error& e) {
        return e.code();
    }
    ADD_FAILURE() << "no error";
    return ErrorCode::Internal;
}

/// A bit of everything.
void fill(Trees& t) {
    t.all([](Tree& x) {
        x.file("hosts", "1").file("ssh/config", "1").file("ssh/keys/a", "1").link("tz", "UTC");
        x.file("old.d/a", "1").file("old.d/b", "1");
    });
    t.current.file("hosts", "mine").file("ssh/keys/mine", "2").mode("ssh", 0700);
    t.current.remove("tz").link("tz", "CET").remove("old.d/a");
    t.next.file("ssh/config", "2").file("new.d/x", "1").remove("old.d");
}

TEST(EtcPlan, TwoPlansOfTheSameTreesAreEqual) {
    Trees t;
    fill(t);
    const MergePlan one = t.plan();
    const MergePlan other = t.plan();
    EXPECT_EQ(one.changes, other.changes);
    EXPECT_EQ(one.conflicts, other.conflicts);
    EXPECT_EQ(one.result_bytes, other.result_bytes);
    Tree first;
    Tree second;
    apply_merge(one, t.input(), first.fd());
    apply_merge(other, t.input(), second.fd());
    EXPECT_EQ(first.listing(), second.listing());
}

TEST(EtcPlan, ReportsComeInTheOrderOfTheWalk) {
    Trees t;
    fill(t);
    std::vector<std::string> paths;
    for (const Change& change : t.plan().changes)
        paths.push_back(change.path);
    EXPECT_EQ(paths,
              (std::vector<std::string>{"hosts",
                                        "new.d",
                                        "new.d/x",
                                        "old.d",
                                        "old.d/b",
                                        "ssh",
                                        "ssh/config",
                                        "ssh/keys/mine",
                                        "tz"}));
}

TEST(EtcPlan, NothingChangedMeansNothingToReport) {
    Trees t;
    t.all([](Tree& x) { x.file("a/b", "1").link("l", "x").fifo("p"); });
    const MergePlan plan = t.plan();
    EXPECT_TRUE(plan.changes.empty());
    EXPECT_TRUE(plan.conflicts.empty());
    EXPECT_EQ(plan.result_entries, 4U);
    EXPECT_EQ(plan.result_bytes, 1U);
}

TEST(EtcPlan, TouchesNeitherOfTheTrees) {
    Trees t;
    fill(t);
    const auto before = t.pristine.listing() + t.current.listing() + t.next.listing();
    const Merged m(t);
    EXPECT_EQ(t.pristine.listing() + t.current.listing() + t.next.listing(), before);
}

TEST(EtcPlan, LargeFilesAreComparedToTheEnd) {
    Trees t;
    const std::string large(700'000, 'x');
    t.all([&](Tree& x) { x.file("same", large).file("changed", large); });
    t.current.file("changed", large.substr(1) + "y");
    t.next.file("same", "new");
    const Merged m(t);
    EXPECT_EQ(m.result.at("same"), "file new");
    EXPECT_EQ(m.result.at("changed"), "file " + large.substr(1) + "y");
    EXPECT_EQ(m.change("changed"), "kept-local");
}

TEST(EtcPlan, NamesOfAnyBytesAreCarried) {
    Trees t;
    const std::string odd("\xff\xfe new\nline\x01");
    t.current.file(odd, "mine").dir("dir" + odd).file("dir" + odd + "/" + odd, "too");
    const Merged m(t);
    EXPECT_EQ(m.result.listing(), t.current.listing());
}

TEST(EtcPlan, TooDeepNestingIsRefusedByName) {
    Trees t;
    std::string path = "deep";
    t.current.dir(path);
    UniqueFd at = open_dir_at(t.current.fd(), path);
    for (int i = 0; i < 130; ++i) {
        make_dirs_at(at.get(), "d", 0755);
        at = open_dir_at(at.get(), "d");
    }
    EXPECT_EQ(code_of([&] { (void)t.plan(); }), ErrorCode::BadFormat);
}

TEST(EtcPlan, PathsLongerThanTheKernelTakesAtOnceAreCarried) {
    Trees t;
    const std::string name(200, 'n');
    UniqueFd at = duplicate_fd(t.current.fd());
    for (int i = 0; i < 30; ++i) {
        make_dirs_at(at.get(), name, 0755);
        at = open_dir_at(at.get(), name);
    }
    replace_file_at(at.get(), "f", as_bytes("mine"), 0644);
    const Merged m(t);
    UniqueFd there = duplicate_fd(m.result.fd());
    for (int i = 0; i < 30; ++i)
        there = open_dir_at(there.get(), name);
    EXPECT_EQ(read_file_at(there.get(), "f", 100).size(), 4U);
}

TEST(EtcPlan, StopsWhenAsked) {
    Trees t;
    fill(t);
    std::stop_source source;
    source.request_stop();
    EXPECT_EQ(code_of([&] { (void)plan_merge(t.input(), source.get_token()); }),
              ErrorCode::Cancelled);
    const MergePlan plan = t.plan();
    Tree out;
    EXPECT_EQ(code_of([&] { apply_merge(plan, t.input(), out.fd(), source.get_token()); }),
              ErrorCode::Cancelled);
}

TEST(EtcPlan, AMachineWithoutEtcIsAnError) {
    EXPECT_EQ(code_of([] { (void)plan_merge({}); }), ErrorCode::NotFound);
}

TEST(EtcConflict, ErrorNamesSomePathsAndDetailsAll) {
    Trees t;
    for (const char* name : {"a", "b", "c", "d", "e", "f", "g"}) {
        t.current.file(name, "mine");
        t.next.dir(name);
    }
    const MergePlan plan = t.plan();
    EXPECT_EQ(conflicts(plan), "a,b,c,d,e,f,g");
    try {
        require_no_conflicts(plan);
        FAIL();
    } catch (const Error& e) {
        const std::string text = e.what();
        EXPECT_EQ(e.code(), ErrorCode::MergeConflict);
        EXPECT_NE(text.find("/etc/a: a file made here"), std::string::npos) << text;
        EXPECT_NE(text.find("and 2 more"), std::string::npos) << text;
        EXPECT_NE(e.hint().find("/etc/a"), std::string::npos) << e.hint();
        EXPECT_NE(e.details().find("/etc/g"), std::string::npos) << e.details();
    }
}

TEST(EtcConflict, EachSaysWhatTheResultHas) {
    Trees t;
    t.all([](Tree& x) { x.file("mode", "1").file("d/f", "1"); });
    t.current.file("made", "mine").mode("mode", 0600).remove("d/f");
    t.next.dir("made").remove("mode").dir("mode").remove("d").file("d", "2");
    const Merged m(t);
    ASSERT_EQ(conflicts(m.plan), "d,made,mode");
    EXPECT_EQ(m.plan.conflicts[1].resolution,
              "the local one stays; the vendor's is beside it as 'made.new'");
    for (const std::size_t i : {0U, 2U}) {
        EXPECT_EQ(m.plan.conflicts[i].resolution,
                  "the vendor's is taken: of the local one no content is lost");
    }
}

TEST(EtcConflict, UntouchedLeafMayBecomeADirectoryAndBack) {
    Trees t;
    t.all([](Tree& x) { x.file("leaf", "1").file("dir/f", "1"); });
    t.next.remove("leaf").file("leaf/f", "2").remove("dir").file("dir", "2");
    const Merged m(t);
    EXPECT_EQ(m.result.listing(), t.next.listing());
}

TEST(EtcConflict, ChangedModeOfALeafThatBecameADirectoryIsOne) {
    Trees t;
    t.all([](Tree& x) { x.file("a", "1"); });
    t.current.mode("a", 0600);
    t.next.remove("a").dir("a");
    const Merged m(t);
    EXPECT_EQ(conflicts(m.plan), "a");
    EXPECT_EQ(m.result.at("a"), "dir");
}

class EtcChangedMeanwhile : public ::testing::Test {
 protected:
    EtcChangedMeanwhile() {
        fill(trees_);
        plan_ = trees_.plan();
    }

    void expect_busy(const std::string& name) {
        Tree out;
        try {
            apply_merge(plan_, trees_.input(), out.fd());
            FAIL() << "not noticed";
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::Busy) << e.what();
            EXPECT_NE(std::string(e.what()).find(name), std::string::npos) << e.what();
        }
    }

    Trees trees_;
    MergePlan plan_;
};

TEST_F(EtcChangedMeanwhile, ContentIsNoticed) {
    trees_.current.file("ssh/config", "written late");
    expect_busy("ssh/config");
}

TEST_F(EtcChangedMeanwhile, ModeIsNoticed) {
    trees_.current.mode("ssh/config", 0600);
    expect_busy("ssh/config");
}

TEST_F(EtcChangedMeanwhile, NewNameIsNoticed) {
    trees_.current.file("ssh/keys/late", "x");
    expect_busy("ssh/keys");
}

TEST_F(EtcChangedMeanwhile, MissingFileIsNoticed) {
    trees_.current.remove("hosts");
    expect_busy("hosts");
}

TEST_F(EtcChangedMeanwhile, FileThatBecameAFifoBlocksNothing) {
    trees_.current.remove("hosts").fifo("hosts");
    expect_busy("hosts");
}

TEST_F(EtcChangedMeanwhile, DirectoryThatBecameALinkIsNotFollowed) {
    trees_.current.remove("ssh").link("ssh", "/");
    expect_busy("ssh");
}

TEST(EtcApply, RefusesADirectoryThatIsNotEmpty) {
    Trees t;
    Tree out;
    out.file("left over", "x");
    EXPECT_EQ(code_of([&] { apply_merge(t.plan(), t.input(), out.fd()); }), ErrorCode::InvalidArgs);
}

TEST(EtcApply, MasksOfTheProcessDoNotMatter) {
    Trees t;
    t.current.file("a", "x", 0666).dir("d", 0777);
    const mode_t before = ::umask(0077);
    const Merged m(t);
    ::umask(before);
    EXPECT_EQ(m.result.mode_of("a"), 0666U);
    EXPECT_EQ(m.result.mode_of("d"), 0777U);
}

}  // namespace
}  // namespace cfs::etc
