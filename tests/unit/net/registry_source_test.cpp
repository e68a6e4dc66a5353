// SPDX-License-Identifier: Apache-2.0
#include "registry_fixture.hpp"
#include "support/temp_dir.hpp"

#include <thread>

namespace cfs::net {
namespace {

using test::descriptor_json;
using test::expect_error;
using test::Fault;
using test::kAmd64;
using test::platform_json;

class RegistrySourceTest : public test::RegistryFixture {};

TEST_F(RegistrySourceTest, ResolvesATag) {
    publish();
    const Resolved found = resolve();
    EXPECT_EQ(to_oci(found.manifest_digest), test::oci_digest(image_.manifest()));
    EXPECT_EQ(as_text(found.manifest_bytes), image_.manifest());
    EXPECT_EQ(as_text(found.config_bytes), image_.config());
    EXPECT_EQ(found.reference, registry_.reference("team/os", "v1"));
}

TEST_F(RegistrySourceTest, AsksForEveryTypeItUnderstandsAndSendsNoCredentials) {
    publish();
    (void)resolve();
    const auto requests = registry_.requests();
    ASSERT_EQ(requests.size(), 2U) << "one manifest, one config";
    EXPECT_EQ(requests[0].target, "/v2/team/os/manifests/v1");
    const std::string accept = requests[0].headers.at("accept");
    for (const auto type : {kOciIndex, kOciManifest, kDockerIndex, kDockerManifest}) {
        EXPECT_NE(accept.find(type), std::string::npos) << type;
    }
    EXPECT_EQ(requests[0].headers.at("user-agent"), "cfsupdated");
    EXPECT_FALSE(requests[0].headers.contains("authorization"));
    EXPECT_FALSE(requests[0].headers.contains("accept-encoding"));
}

TEST_F(RegistrySourceTest, FollowsAnIndexToItsPlatform) {
    publish();
    const std::string index = test::index_json(
        {descriptor_json(kOciManifest, "arm", platform_json("arm64")),
         descriptor_json(kOciManifest, image_.manifest(), platform_json("amd64"))});
    registry_.add_manifest("team/os", "multi", index, std::string(kOciIndex));
    EXPECT_EQ(as_text(resolve("multi").manifest_bytes), image_.manifest());
}

TEST_F(RegistrySourceTest, APinnedDigestIsHeldTo) {
    publish();
    const std::string start = "docker://" + registry_.host() + "/team/os@";
    const std::string good = test::oci_digest(image_.manifest());
    EXPECT_EQ(
        open_source(parse_image_ref(start + good), options_)->resolve(kAmd64, {}).manifest_digest,
        *digest_from_oci(good));
    registry_.add_fault({.path = "/manifests/", .body = "{}"});
    expect_error(ErrorCode::DigestMismatch, "expected " + good, [&] {
        (void)open_source(parse_image_ref(start + good), options_)->resolve(kAmd64, {});
    });
}

TEST_F(RegistrySourceTest, BlobsAreStreamedAndCounted) {
    const std::string content = big_blob(3'000'000);
    EXPECT_EQ(fetch(content), content);
    EXPECT_EQ(source_->bytes_fetched(), content.size());
    EXPECT_EQ(registry_.body_bytes_sent(), content.size());
}

TEST_F(RegistrySourceTest, AnEmptyBlobIsFetched) {
    registry_.add_blob("");
    EXPECT_EQ(fetch(""), "");
}

TEST_F(RegistrySourceTest, ABlobWithoutALengthIsFetched) {
    const std::string content = big_blob(300'000);
    registry_.add_fault({.no_length = true});
    EXPECT_EQ(fetch(content), content);
}

TEST_F(RegistrySourceTest, SeveralThreadsShareOneSource) {
    std::vector<std::string> contents;
    for (std::size_t i = 0; i < 4; ++i)
        contents.push_back(big_blob(200'000 + i));
    fetch_together(contents);
    EXPECT_EQ(source_->bytes_fetched(), 800'006U);
}

/// Takes its time on command: holds up the consumer until the registry can send no more.
class SlowSink final : public Sink {
 public:
    explicit SlowSink(const test::TestRegistry& registry) : registry_(registry) {}

    void write(ByteView data) override {
        std::uint64_t before = ~std::uint64_t{0};
        while (taken_ == 0 && before != registry_.body_bytes_sent()) {
            before = registry_.body_bytes_sent();
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        if (taken_ == 0) sent_while_waiting_ = registry_.body_bytes_sent();
        taken_ += data.size();
    }

    std::uint64_t taken_ = 0;
    std::uint64_t sent_while_waiting_ = 0;

 private:
    const test::TestRegistry& registry_;
};

TEST_F(RegistrySourceTest, ASlowConsumerPausesTheConnection) {
    const std::string content = big_blob(std::size_t{32} << 20);
    SlowSink sink(registry_);
    open()->fetch_blob(test::descriptor_of(content), sink, {});
    EXPECT_EQ(sink.taken_, content.size());
    EXPECT_LT(sink.sent_while_waiting_, content.size()) << "the whole blob was buffered";
}

class FailingSink final : public Sink {
 public:
    void write(ByteView /*data*/) override { throw Error(ErrorCode::NoSpace, "disk full"); }
};

TEST_F(RegistrySourceTest, TheSinksErrorComesThrough) {
    const std::string content = big_blob(1'000'000);
    FailingSink sink;
    expect_error(ErrorCode::NoSpace, "disk full", [&] {
        open()->fetch_blob(test::descriptor_of(content), sink, {});
    });
    EXPECT_EQ(registry_.requests().size(), 1U) << "and is not tried again";
}

class StoppingSink final : public Sink {
 public:
    explicit StoppingSink(std::stop_source& stop) : stop_(stop) {}

    void write(ByteView /*data*/) override { stop_.request_stop(); }

 private:
    std::stop_source& stop_;
};

TEST_F(RegistrySourceTest, AStopEndsAStalledTransfer) {
    const std::string content = big_blob(1'000'000);
    registry_.add_fault({.stall_after = 1000});
    std::stop_source stop;
    StoppingSink sink(stop);
    expect_error(ErrorCode::Cancelled, "", [&] {
        open()->fetch_blob(test::descriptor_of(content), sink, stop.get_token());
    });
}

TEST_F(RegistrySourceTest, ServesALayoutDirectory) {
    const test::TempDir dir;
    const auto put = [&](const std::string& content) {
        dir.write("blobs/sha256/" + hash(HashAlgorithm::Sha256, as_bytes(content)).hex(), content);
    };
    put(image_.manifest());
    put(image_.config());
    put(image_.layers[0]);
    dir.write(
        "index.json",
        test::index_json({descriptor_json(kOciManifest, image_.manifest(), test::tag_json("v1"))}));
    registry_.serve_layout(dir.path(), "team/os");
    EXPECT_EQ(as_text(resolve().manifest_bytes), image_.manifest());
    EXPECT_EQ(fetch(image_.layers[0]), image_.layers[0]);
}

}  // namespace
}  // namespace cfs::net
