// SPDX-License-Identifier: Apache-2.0
// A machine whose store composefs-rs began (tests/data/repo): it takes our versions, keeps what the
// peer put there, and both collectors agree about it afterwards.
#include "crash/process.hpp"
#include "image/erofs_reader.hpp"
#include "peer_repo.hpp"
#include "site.hpp"
#include "store/fsck.hpp"
#include "store/repository.hpp"
#include "store/splitstream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>

namespace cfs {
namespace {

using test::run_process;

class PeerStore : public testing::Test {
 protected:
    PeerStore() {
        const test::PeerRepo peer(HashAlgorithm::Sha512);
        const auto copied = run_process({"/bin/cp", "-a", peer.path(), store_path()});
        EXPECT_EQ(copied.code, 0) << copied.output;
        theirs_ = streams();
    }

    [[nodiscard]] std::string store_path() const { return site_.settings.sysroot + "/composefs"; }

    [[nodiscard]] std::unique_ptr<store::Repository> store() const {
        return store::Repository::open(store_path(), store::VerityPolicy::Try);
    }

    /// Every stream, reassembled.
    [[nodiscard]] std::map<std::string, std::string> streams() const {
        std::map<std::string, std::string> out;
        const auto repository = store();
        for (const auto& stream : repository->list_streams()) {
            MemorySink sink(std::size_t{1} << 28);
            store::cat_stream(*repository, stream.name, sink);
            out[stream.name] = std::string(as_text(sink.bytes()));
        }
        return out;
    }

    void expect_theirs() const {
        const auto now = streams();
        for (const auto& [name, content] : theirs_) {
            ASSERT_EQ(now.count(name), 1U) << name;
            EXPECT_EQ(now.at(name), content) << name;
        }
        const auto refs = store()->list_stream_refs();
        const store::Ref tag{test::kPeerTag, test::kPeerManifest};
        EXPECT_NE(std::find(refs.begin(), refs.end(), tag), refs.end());
    }

    void expect_clean() const {
        for (const auto& finding : store::fsck(*store(), image::erofs_objects, false).findings)
            ADD_FAILURE() << finding.path << ": " << finding.problem;
    }

    [[nodiscard]] std::string peer_collects() const {
        const auto ended = run_process({CFS_PEER_COLLECT, store_path()});
        EXPECT_EQ(ended.code, 0) << ended.output;
        return ended.output;
    }

    test::Site site_;
    std::map<std::string, std::string> theirs_;
};

TEST_F(PeerStore, TakesAnInstallationAndAnUpdateAndKeepsWhatThePeerPutThere) {
    (void)site_.install();
    EXPECT_EQ(site_.update("v2").outcome, update::UpdateOutcome::Finalized);
    EXPECT_EQ(site_.engine().status().staged->version, "2");
    expect_theirs();
    expect_clean();
    EXPECT_TRUE(peer_collects().starts_with("0 objects and 0 links")) << "what refers to nothing";
    (void)site_.engine().collect(false, site_.progress, {});
    expect_theirs();
    expect_clean();
}

/// What the peer untags goes with our collection, and nothing of ours.
TEST_F(PeerStore, LosesWhatThePeerUntags) {
    (void)site_.install();
    EXPECT_TRUE(store()->remove_stream_ref(test::kPeerTag));
    EXPECT_EQ(site_.engine().collect(false, site_.progress, {}).objects, 20U);
    for (const auto& [name, content] : theirs_)
        EXPECT_FALSE(store()->find_stream(name)) << name;
    expect_clean();
    EXPECT_EQ(site_.update("v2").outcome, update::UpdateOutcome::Finalized);
}

}  // namespace
}  // namespace cfs
