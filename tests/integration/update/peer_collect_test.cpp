// SPDX-License-Identifier: Apache-2.0
// Another program collects in our store by the rules of composefs-rs (peer_collect.py), which knows
// nothing of our records: the pins alone must keep what a slot needs.
#include "crash/crash_site.hpp"
#include "image/erofs_reader.hpp"
#include "store/repository.hpp"
#include "update/mapped_file.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

namespace cfs {
namespace {

namespace fs = std::filesystem;
using test::CrashSite;

class PeerCollect : public testing::Test {
 protected:
    PeerCollect()
        : machine_(std::string(CFS_MACHINES) + "/installed"),
          store_(machine_.site.settings.sysroot + "/composefs") {}

    /// What a puller does to a tag: now it is `manifest`.
    void tag(const std::string& name, const std::string& manifest) const {
        const fs::path link = store_ / "streams/refs/oci" / name;
        fs::remove(link);
        fs::create_symlink("../../" + manifest, link);
    }

    /// Entries that our pins of manifests lead to.
    [[nodiscard]] std::set<std::string> pinned_manifests() const {
        std::set<std::string> out;
        for (const auto& ref : fs::directory_iterator(store_ / "streams/refs/oci")) {
            const std::string name = ref.path().filename();
            if (name.starts_with("localhost%2Fcfsupdated-"))
                out.insert(fs::read_symlink(ref).filename());
        }
        return out;
    }

    void remove_pins_of(const update::DeploymentInfo& deployment, const std::string& manifest) {
        fs::remove(store_ / "images/refs/cfsupdated" / deployment.digest);
        for (const auto& ref : fs::directory_iterator(store_ / "streams/refs/oci")) {
            if (fs::read_symlink(ref).filename() == manifest) fs::remove(ref);
        }
    }

    std::string collect() {
        const auto ended = test::run_process({CFS_PEER_COLLECT, store_.native()});
        EXPECT_EQ(ended.code, 0) << ended.output;
        return ended.output;
    }

    /// Objects of a deployment's image that cannot be read back as what their name says.
    [[nodiscard]] std::size_t unreadable(const std::string& digest) const {
        const auto store = store::Repository::open(store_, store::VerityPolicy::Try);
        const Digest image = *Digest::from_hex(digest);
        if (!store->has_image(image)) return SIZE_MAX;
        std::size_t count = 0;
        const UniqueFd file = store->open_object(image);
        const update::MappedFile bytes(file.get());
        for (const Digest& object : image::erofs_objects(bytes.bytes()))
            count += store->has_object(object) ? 0 : 1;
        return count;
    }

    CrashSite machine_;
    fs::path store_;
};

TEST_F(PeerCollect, KeepsBothSlotsAfterLatestHasMovedOn) {
    const std::string v1 = *pinned_manifests().begin();
    tag("example%2Fos:latest", v1);
    machine_.guard();
    EXPECT_EQ(machine_.site.update("v2").outcome, update::UpdateOutcome::Finalized);
    std::set<std::string> manifests = pinned_manifests();
    manifests.erase(v1);
    ASSERT_EQ(manifests.size(), 1U);
    tag("example%2Fos:latest", *manifests.begin());
    const auto status = machine_.site.engine().status();
    fs::create_directories(store_ / "objects/00");
    machine_.site.dir.write("sysroot/composefs/objects/00/" + std::string(126, 'a'), "unmarked");
    EXPECT_NE(collect().find("1 objects and 0 links removed"), std::string::npos);
    EXPECT_EQ(unreadable(status.booted->digest), 0U);
    EXPECT_EQ(unreadable(status.staged->digest), 0U);
    EXPECT_EQ(machine_.unsound(), "");
}

/// So that the case above cannot pass for another reason than the pins.
TEST_F(PeerCollect, TakesASlotWithoutItsPins) {
    const std::string v1 = *pinned_manifests().begin();
    EXPECT_EQ(machine_.site.update("v2").outcome, update::UpdateOutcome::Finalized);
    const auto booted = *machine_.site.engine().status().booted;
    remove_pins_of(booted, v1);
    (void)collect();
    EXPECT_EQ(unreadable(booted.digest), SIZE_MAX);
    EXPECT_EQ(unreadable(machine_.site.engine().status().staged->digest), 0U);
}

/// And the two collectors agree on what is garbage.
TEST_F(PeerCollect, RemovesWhatOursWouldAndNoMore) {
    EXPECT_EQ(machine_.site.update("v2").outcome, update::UpdateOutcome::Finalized);
    EXPECT_EQ(test::error_name([&] { (void)machine_.site.update("other-uki"); }), "DigestMismatch");
    const auto ours = machine_.site.engine().collect(true, machine_.site.progress, {});
    EXPECT_GT(ours.objects, 0U);
    const std::string theirs = collect();
    EXPECT_EQ(theirs.substr(0, theirs.find(' ')), std::to_string(ours.objects)) << theirs;
    EXPECT_EQ(machine_.unsound(), "");
}

}  // namespace
}  // namespace cfs
