// SPDX-License-Identifier: Apache-2.0
// Two repositories written by composefs-rs (tests/data/repo): everything in them must be read as
// its author meant it.
#include "peer_repo.hpp"

#include "base/file_io.hpp"
#include "crypto/hasher.hpp"
#include "store/fsck.hpp"
#include "store/gc.hpp"
#include "store/repository.hpp"
#include "store/splitstream.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace cfs::store {
namespace {

using test::PeerRepo;
using test::scan_image;
using namespace std::chrono_literals;

class PeerRepository : public testing::TestWithParam<HashAlgorithm> {
 protected:
    GcReport collect(const std::vector<std::string>& roots = {}, bool dry_run = false) {
        const ExclusiveLock lock = store_->try_lock_exclusive(0ms);
        return collect_garbage(*store_, lock, roots, scan_image, dry_run);
    }

    std::string cat(const std::string& name) {
        MemorySink sink(std::size_t{1} << 24);
        cat_stream(*store_, name, sink);
        return std::string(as_text(sink.bytes()));
    }

    PeerRepo peer_{GetParam()};
    std::unique_ptr<Repository> store_ = peer_.open();
};

std::string data_file(const std::string& name) {
    std::ifstream in(CFS_TEST_DATA "/repo/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

TEST_P(PeerRepository, OpensAsWhatItIs) {
    EXPECT_EQ(store_->algorithm(), GetParam());
    EXPECT_FALSE(store_->secure());
    EXPECT_EQ(store_->default_erofs_format(), 1);
}

TEST_P(PeerRepository, OursStartsWithTheSameMeta) {
    const test::TempDir dir;
    Repository::init(dir.fd(), GetParam(), VerityPolicy::Try);
    std::ifstream theirs(peer_.path() + "/meta.json");
    EXPECT_EQ(dir.read("meta.json"), std::string(std::istreambuf_iterator<char>(theirs), {}));
}

TEST_P(PeerRepository, IsCleanForFsck) {
    const FsckReport report = fsck(*store_, scan_image, false);
    for (const auto& finding : report.findings)
        ADD_FAILURE() << finding.path << finding.problem;
    EXPECT_TRUE(report.clean);
    EXPECT_EQ(report.streams_checked, 4U);
    EXPECT_EQ(report.images_checked, 2U);
    EXPECT_EQ(report.refs_checked, 1U);
    EXPECT_EQ(report.objects_checked, 20U);
}

TEST_P(PeerRepository, EveryStreamReassemblesToTheDigestInItsName) {
    const auto streams = store_->list_streams();
    ASSERT_EQ(streams.size(), 4U);
    for (const auto& stream : streams) {
        const std::string wanted = stream.name.substr(stream.name.find("sha256:") + 7);
        const std::string content = cat(stream.name);
        EXPECT_EQ(hash(HashAlgorithm::Sha256, as_bytes(content)).hex(), wanted) << stream.name;
    }
}

TEST_P(PeerRepository, ConfigAndManifestAreTheOriginalBytes) {
    EXPECT_EQ(cat(test::kPeerConfig), data_file("config.json"));
    EXPECT_EQ(cat(test::kPeerManifest), data_file("manifest.json"));
}

TEST_P(PeerRepository, StreamLinksLeadToTheIdsTheAuthorRecorded) {
    EXPECT_EQ(store_->find_stream(test::kPeerConfig), peer_.id("config-stream"));
    EXPECT_EQ(store_->find_stream(test::kPeerManifest), peer_.id("manifest-stream"));
    for (const auto& [what, hex] : peer_.ids()) {
        if (what.rfind("layer-stream ", 0) != 0) continue;
        const auto found = store_->find_stream("oci-layer-" + what.substr(13));
        ASSERT_TRUE(found);
        EXPECT_EQ(found->hex(), hex);
    }
}

TEST_P(PeerRepository, TheConfigNamesItsLayersAndImages) {
    const auto stream = open_splitstream(*store_, peer_.id("config-stream"));
    EXPECT_EQ(stream.content_type(), kOciConfig);
    const auto refs = stream.named_refs();
    EXPECT_EQ(refs.at("composefs.image.v1"), peer_.id("plain"));
    EXPECT_EQ(refs.at("composefs.image.boot.v1"), peer_.id("boot"));
    EXPECT_EQ(refs.size(), 4U);
}

TEST_P(PeerRepository, TheManifestNamesItsConfig) {
    const auto stream = open_splitstream(*store_, peer_.id("manifest-stream"));
    EXPECT_EQ(stream.content_type(), kOciManifest);
    const std::string config = std::string("config:") + (test::kPeerConfig + 11);
    EXPECT_EQ(stream.named_refs().at(config), peer_.id("config-stream"));
}

TEST_P(PeerRepository, ImagesAreThere) {
    EXPECT_TRUE(store_->has_image(peer_.id("plain")));
    EXPECT_TRUE(store_->has_image(peer_.id("boot")));
    EXPECT_FALSE(store_->has_image(peer_.id("config-stream")));
}

TEST_P(PeerRepository, TheTagIsListed) {
    const std::vector<Ref> expected = {{test::kPeerTag, test::kPeerManifest}};
    EXPECT_EQ(store_->list_stream_refs(), expected);
}

TEST_P(PeerRepository, CollectingWithTheTagRemovesNothing) {
    const std::string before = test::tree_listing(peer_.path());
    const GcReport report = collect();
    EXPECT_EQ(report.objects_removed + report.images_pruned + report.streams_pruned, 0U);
    EXPECT_EQ(report.objects_kept, 20U);
    EXPECT_TRUE(report.warnings.empty());
    EXPECT_EQ(test::tree_listing(peer_.path()), before);
}

TEST_P(PeerRepository, WithoutTheTagEverythingGoes) {
    ASSERT_TRUE(store_->remove_stream_ref(test::kPeerTag));
    const GcReport report = collect();
    EXPECT_EQ(report.objects_removed, 20U);
    EXPECT_EQ(report.objects_kept, 0U);
    EXPECT_EQ(report.images_pruned, 2U);
    EXPECT_EQ(report.streams_pruned, 4U);
    EXPECT_TRUE(fsck(*store_, scan_image, false).clean);
}

TEST_P(PeerRepository, AnImageAsExtraRootKeepsItsFilesAndDropsTheStreams) {
    ASSERT_TRUE(store_->remove_stream_ref(test::kPeerTag));
    const Digest boot = peer_.id("boot");
    const GcReport report = collect({boot.hex()});
    EXPECT_EQ(report.images_pruned, 1U);
    EXPECT_EQ(report.streams_pruned, 4U);
    EXPECT_TRUE(store_->has_image(boot));
    const auto image = store_->open_image(boot);
    for (const auto& object : scan_image(read_whole(image.get(), std::size_t{1} << 24))) {
        EXPECT_TRUE(store_->has_object(object)) << object.hex();
    }
    EXPECT_TRUE(fsck(*store_, scan_image, false).clean);
}

TEST_P(PeerRepository, TheConfigAsRootDropsOnlyTheManifest) {
    ASSERT_TRUE(store_->remove_stream_ref(test::kPeerTag));
    const GcReport report = collect({test::kPeerConfig});
    EXPECT_EQ(report.objects_removed, 2U) << "the manifest's stream and its JSON";
    EXPECT_EQ(report.streams_pruned, 1U);
    EXPECT_EQ(report.images_pruned, 0U);
    EXPECT_FALSE(store_->find_stream(test::kPeerManifest));
}

TEST_P(PeerRepository, ATagOnTheConfigKeepsItsImages) {
    store_->set_stream_ref("oci/other", test::kPeerConfig);
    ASSERT_TRUE(store_->remove_stream_ref(test::kPeerTag));
    (void)collect();
    EXPECT_TRUE(store_->has_image(peer_.id("plain")));
    EXPECT_TRUE(store_->has_image(peer_.id("boot")));
}

TEST_P(PeerRepository, ADryRunListsAndChangesNothing) {
    ASSERT_TRUE(store_->remove_stream_ref(test::kPeerTag));
    const std::string before = test::tree_listing(peer_.path());
    const GcReport dry = collect({}, true);
    EXPECT_EQ(test::tree_listing(peer_.path()), before);
    EXPECT_EQ(dry.would_remove.size(), 26U);
    const GcReport real = collect();
    EXPECT_EQ(dry.objects_removed, real.objects_removed);
    EXPECT_EQ(dry.bytes_removed, real.bytes_removed);
    EXPECT_EQ(dry.images_pruned, real.images_pruned);
    EXPECT_EQ(dry.streams_pruned, real.streams_pruned);
}

TEST_P(PeerRepository, ALayerWrittenAgainReadsBackTheSameBytes) {
    const std::string tar = cat("oci-layer-" + peer_.ids().back().first.substr(13));
    SplitstreamWriter writer(*store_);
    writer.literal(as_bytes(tar.substr(0, 512)));
    const std::string middle = tar.substr(512, 4096);
    writer.external(store_->put_object(as_bytes(middle)), middle.size());
    writer.literal(as_bytes(tar.substr(512 + 4096)));
    store_->commit_stream("again", writer.finish(kOciLayer));
    EXPECT_EQ(cat("again"), tar);
}

INSTANTIATE_TEST_SUITE_P(ComposefsRs,
                         PeerRepository,
                         testing::Values(HashAlgorithm::Sha256, HashAlgorithm::Sha512),
                         [](const auto& param_info) {
                             return std::string(to_string(param_info.param));
                         });

}  // namespace
}  // namespace cfs::store
