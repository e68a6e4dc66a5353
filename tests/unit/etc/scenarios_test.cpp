// SPDX-License-Identifier: Apache-2.0
// Stories of several updates in a row, after the scenario lists of the merge facts: what the peers'
// own tests go through, told with our results.
#include "unit/etc/tree.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>

namespace cfs::etc {
namespace {

using test::conflicts;
using test::Merged;
using test::Tree;
using test::Trees;
using Change = std::function<void(Tree&)>;

void copy_into(const Tree& from, Tree& to) {
    const MergeInput same{from.fd(), from.fd(), from.fd()};
    apply_merge(plan_merge(same), same, to.fd());
}

/// A machine: its /etc, the image that runs, and updates one after the other.
class Machine {
 public:
    explicit Machine(const Change& image) {
        image(*image_);
        copy_into(*image_, *etc_);
    }

    void edit(const Change& change) { change(*etc_); }

    /// The next image is this one with `change`. \returns the paths in conflict
    std::string update(const Change& change) {
        auto next = std::make_unique<Tree>();
        copy_into(*image_, *next);
        change(*next);
        auto merged = std::make_unique<Tree>();
        const MergeInput input{image_->fd(), etc_->fd(), next->fd()};
        const MergePlan plan = plan_merge(input);
        apply_merge(plan, input, merged->fd());
        image_ = std::move(next);
        etc_ = std::move(merged);
        return conflicts(plan);
    }

    [[nodiscard]] const Tree& etc() const { return *etc_; }

 private:
    std::unique_ptr<Tree> image_ = std::make_unique<Tree>();
    std::unique_ptr<Tree> etc_ = std::make_unique<Tree>();
};

const Change kNothing = [](Tree&) {};

TEST(EtcScenario, AnEditedFileLivesThroughManyUpdates) {
    Machine m([](Tree& x) { x.file("conf", "0").file("other", "0"); });
    m.edit([](Tree& x) { x.file("conf", "mine"); });
    for (const char* content : {"1", "2", "3"}) {
        EXPECT_EQ(m.update([&](Tree& x) { x.file("conf", content).file("other", content); }), "");
        EXPECT_EQ(m.etc().at("conf"), "file mine");
        EXPECT_EQ(m.etc().at("other"), std::string("file ") + content);
    }
}

TEST(EtcScenario, AnAddedChainOfDirectoriesKeepsEveryOddMode) {
    Machine m(kNothing);
    m.edit([](Tree& x) {
        x.file("a/b/c/d/f", "mine", 0604);
        x.mode("a", 0777).mode("a/b", 0707).mode("a/b/c", 0770).mode("a/b/c/d", 01711);
    });
    EXPECT_EQ(m.update([](Tree& x) { x.file("vendor", "1"); }), "");
    EXPECT_EQ(m.etc().mode_of("a"), 0777U);
    EXPECT_EQ(m.etc().mode_of("a/b"), 0707U);
    EXPECT_EQ(m.etc().mode_of("a/b/c"), 0770U);
    EXPECT_EQ(m.etc().mode_of("a/b/c/d"), 01711U);
    EXPECT_EQ(m.etc().mode_of("a/b/c/d/f"), 0604U);
}

TEST(EtcScenario, ADanglingLinkIsKeptAndAFifoIsNot) {
    Machine m(kNothing);
    m.edit([](Tree& x) { x.link("dangling", "no/such/file").fifo("pipe"); });
    EXPECT_EQ(m.update(kNothing), "");
    EXPECT_EQ(m.etc().at("dangling"), "link no/such/file");
    EXPECT_EQ(m.etc().at("pipe"), "none");
}

TEST(EtcScenario, ARemovedDirectoryStaysAwayUpdateAfterUpdate) {
    Machine m([](Tree& x) { x.file("d/f", "0"); });
    m.edit([](Tree& x) { x.remove("d"); });
    m.update([](Tree& x) { x.file("d/f", "1"); });
    m.update([](Tree& x) { x.file("d/g", "2"); });
    m.update([](Tree& x) { x.remove("d").file("d", "now a file"); });
    EXPECT_EQ(m.etc().at("d"), "none");
}

TEST(EtcScenario, ADirectoryOfTheVendorAppearsEmptyAndFillsLater) {
    Machine m(kNothing);
    EXPECT_EQ(m.update([](Tree& x) { x.dir("d", 0711); }), "");
    EXPECT_EQ(m.etc().mode_of("d"), 0711U);
    EXPECT_EQ(m.update([](Tree& x) { x.file("d/sub/f", "1"); }), "");
    EXPECT_EQ(m.etc().at("d/sub/f"), "file 1");
}

TEST(EtcScenario, AFileInTheWayOfANewDirectoryIsToldOnceAndStaysUsable) {
    Machine m(kNothing);
    m.edit([](Tree& x) { x.file("d", "mine"); });
    EXPECT_EQ(m.update([](Tree& x) { x.file("d/f", "1"); }), "d");
    EXPECT_EQ(m.etc().at("d"), "file mine");
    EXPECT_EQ(m.etc().at("d.new/f"), "file 1");
    // It is a local change like any other from now on.
    EXPECT_EQ(m.update([](Tree& x) { x.file("d/f", "2"); }), "");
    EXPECT_EQ(m.etc().at("d"), "file mine");
    // Who removes it and takes the vendor's follows it again.
    m.edit([](Tree& x) { x.remove("d").remove("d.new").file("d/f", "2"); });
    EXPECT_EQ(m.update([](Tree& x) { x.file("d/f", "3"); }), "");
    EXPECT_EQ(m.etc().at("d/f"), "file 3");
}

TEST(EtcScenario, AnAddedFileOutlivesItsDirectoryAndThatComesBack) {
    Machine m([](Tree& x) { x.file("d/vendor", "0"); });
    m.edit([](Tree& x) { x.file("d/mine", "mine"); });
    m.update([](Tree& x) { x.remove("d"); });
    EXPECT_EQ(m.etc().at("d/mine"), "file mine");
    EXPECT_EQ(m.etc().at("d/vendor"), "none");
    EXPECT_EQ(m.update([](Tree& x) { x.file("d/vendor", "2"); }), "");
    EXPECT_EQ(m.etc().at("d/mine"), "file mine");
    EXPECT_EQ(m.etc().at("d/vendor"), "file 2");
}

TEST(EtcScenario, AddedAndRemovedThingsAcrossTwoUpdates) {
    Machine m([](Tree& x) { x.file("removed", "0").file("dir/f", "0"); });
    m.edit([](Tree& x) { x.file("added", "mine").remove("removed").remove("dir"); });
    m.edit([](Tree& x) { x.link("broken", "/no/such"); });
    m.update([](Tree& x) { x.file("new", "1").file("new.d/f", "1"); });
    m.update([](Tree& x) { x.file("new", "2"); });
    EXPECT_EQ(m.etc().at("added"), "file mine");
    EXPECT_EQ(m.etc().at("removed"), "none");
    EXPECT_EQ(m.etc().at("dir"), "none");
    EXPECT_EQ(m.etc().at("broken"), "link /no/such");
    EXPECT_EQ(m.etc().at("new"), "file 2");
    EXPECT_EQ(m.etc().at("new.d/f"), "file 1");
}

TEST(EtcScenario, AnEmptyEtcInTheImageKeepsTheMachines) {
    Machine m(kNothing);
    m.edit([](Tree& x) { x.file("mine", "1").dir("mine.d"); });
    EXPECT_EQ(m.update(kNothing), "");
    EXPECT_EQ(m.etc().at("mine"), "file 1");
    EXPECT_EQ(m.etc().at("mine.d"), "dir");
}

TEST(EtcScenario, TheStampGoesFromTheNewAndStaysInTheOld) {
    Trees t;
    t.all([](Tree& x) { x.file("f", "0"); });
    t.current.file(".updated", "stamp");
    const Merged m(t);
    EXPECT_EQ(m.result.at(".updated"), "none");
    EXPECT_EQ(t.current.at(".updated"), "file stamp");
}

/// Nested paths, each with and without the same path in the new image.
class EtcNested : public ::testing::TestWithParam<bool> {
 protected:
    EtcNested() {
        t_.all([](Tree& x) {
            x.file("sub/edited", "0").file("sub/chmod", "0").file("sub/deleted", "0");
            x.dir("sub/perms", 0700).file("sub/dir/f", "0");
        });
        t_.current.file("sub/edited", "mine").mode("sub/chmod", 0600).remove("sub/deleted");
        t_.current.file("sub/added/deep/f", "mine").mode("sub/perms", 0733).remove("sub/dir");
        if (GetParam()) return;
        for (const char* name : {"sub/edited", "sub/chmod", "sub/deleted", "sub/perms", "sub/dir"})
            t_.next.remove(name);
    }

    Trees t_;
};

TEST_P(EtcNested, LocalChangesStandWhateverTheVendorHas) {
    const Merged m(t_);
    EXPECT_EQ(conflicts(m.plan), "");
    EXPECT_EQ(m.result.at("sub/edited"), "file mine");
    EXPECT_EQ(m.result.mode_of("sub/chmod"), 0600U);
    EXPECT_EQ(m.result.at("sub/deleted"), "none");
    EXPECT_EQ(m.result.at("sub/dir"), "none");
    EXPECT_EQ(m.result.mode_of("sub/perms"), 0733U);
    EXPECT_EQ(m.result.at("sub/added/deep/f"), "file mine");
    EXPECT_EQ(m.result.at("sub/edited.new"), "none");
}

INSTANTIATE_TEST_SUITE_P(PresentAndAbsent, EtcNested, ::testing::Bool());

TEST(EtcScenario, AFileThatCameBackFollowsTheVendorAgain) {
    Machine m([](Tree& x) { x.file("f", "0"); });
    m.edit([](Tree& x) { x.remove("f"); });
    m.update([](Tree& x) { x.file("f", "1"); });
    EXPECT_EQ(m.etc().at("f"), "none");
    m.edit([](Tree& x) { x.file("f", "1"); });
    m.update([](Tree& x) { x.file("f", "2"); });
    EXPECT_EQ(m.etc().at("f"), "file 2");
}

TEST(EtcScenario, GoingBackAndForthBetweenTwoImagesLosesNothing) {
    Machine m([](Tree& x) { x.file("vendor", "old").file("edited", "old"); });
    m.edit([](Tree& x) { x.file("edited", "mine").file("added", "mine"); });
    for (const char* image : {"new", "old", "new", "old"}) {
        EXPECT_EQ(m.update([&](Tree& x) { x.file("vendor", image).file("edited", image); }), "");
        EXPECT_EQ(m.etc().at("vendor"), std::string("file ") + image);
        EXPECT_EQ(m.etc().at("edited"), "file mine");
        EXPECT_EQ(m.etc().at("added"), "file mine");
    }
}

TEST(EtcScenario, UsersOfImageAndMachineLiveTogether) {
    const std::string root = "root:x:0:0:root:/root:/bin/sh\n";
    Machine m([&](Tree& x) { x.file("passwd", root).file("shadow", "root:*:1::::::\n", 0640); });
    m.edit([&](Tree& x) {
        x.file("passwd", root + "me:x:1000:1000::/home/me:/bin/sh\n");
        x.file("shadow", "root:$y$pw:2::::::\nme:$y$pw:2::::::\n", 0640);
    });
    EXPECT_EQ(m.update([&](Tree& x) {
        x.file("passwd", root + "svc:x:990:990::/:/usr/sbin/nologin\n");
        x.file("shadow", "root:*:1::::::\nsvc:!*:1::::::\n", 0640);
    }),
              "");
    EXPECT_EQ(
        m.etc().at("passwd"),
        "file " + root + "me:x:1000:1000::/home/me:/bin/sh\nsvc:x:990:990::/:/usr/sbin/nologin\n");
    EXPECT_EQ(m.etc().at("shadow"), "file root:$y$pw:2::::::\nme:$y$pw:2::::::\nsvc:!*:1::::::\n");
    // The service goes again; whoever was made here stays.
    EXPECT_EQ(m.update([&](Tree& x) { x.file("passwd", root).file("shadow", "root:*:1::::::\n"); }),
              "");
    EXPECT_EQ(m.etc().at("passwd"), "file " + root + "me:x:1000:1000::/home/me:/bin/sh\n");
    EXPECT_EQ(m.etc().at("shadow"), "file root:$y$pw:2::::::\nme:$y$pw:2::::::\n");
}

}  // namespace
}  // namespace cfs::etc
