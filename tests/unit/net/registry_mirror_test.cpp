// SPDX-License-Identifier: Apache-2.0
// An origin ("registry_") behind mirrors, as registries.conf arranges them.
#include "registry_fixture.hpp"
#include "support/temp_dir.hpp"

#include <fstream>

namespace cfs::net {
namespace {

using test::expect_error;
using test::make_certificate;
using test::TestRegistry;

constexpr std::size_t kBlobSize = 1'000'000;

class RegistryMirrorTest : public test::RegistryFixture {
 protected:
    RegistryMirrorTest() {
        options_.registries_conf = dir_ / "registries.conf";
        arrange({});
    }

    /// The mirrors in this order; `more` are lines of the registry's own table.
    void arrange(const std::vector<std::string>& mirrors, const std::string& more = "") {
        std::ofstream out(options_.registries_conf);
        out << "[[registry]]\nlocation = \"" << registry_.host() << "\"\n" << more;
        for (const std::string& mirror : mirrors)
            out << "[[registry.mirror]]\nlocation = \"" << mirror << "\"\n";
    }

    void publish_at(TestRegistry& registry, const std::string& name) {
        registry.add_blob(image_.config());
        registry.add_manifest(name, "v1", image_.manifest(), std::string(kOciManifest));
    }

    /// Resolves and fetches from one source.
    std::string run(const std::string& content) {
        source_ = open();
        EXPECT_EQ(as_text(source_->resolve(test::kAmd64, {}).manifest_bytes), image_.manifest());
        MemorySink sink(content.size());
        source_->fetch_blob(test::descriptor_of(content), sink, {});
        return std::string(as_text(sink.bytes()));
    }

    test::TempDir dir_;
    TestRegistry mirror_;
    TestRegistry other_;
};

TEST_F(RegistryMirrorTest, TheFirstMirrorServesEverything) {
    const std::string content = big_blob(kBlobSize);
    publish_at(mirror_, "cache/team/os");
    mirror_.add_blob(content);
    arrange({mirror_.host() + "/cache", other_.host()});
    EXPECT_EQ(run(content), content);
    EXPECT_EQ(mirror_.requests().size(), 3U);
    EXPECT_TRUE(other_.requests().empty());
    EXPECT_TRUE(registry_.requests().empty());
    EXPECT_TRUE(
        source_->resolve(test::kAmd64, {}).reference.starts_with("docker://" + registry_.host()))
        << "the image keeps the name that was asked for";
}

TEST_F(RegistryMirrorTest, WhatAMirrorLacksComesFromTheNext) {
    const std::string content = big_blob(kBlobSize);
    publish();
    publish_at(other_, "team/os");
    arrange({mirror_.host(), other_.host()});
    EXPECT_EQ(run(content), content);
    EXPECT_EQ(mirror_.requests().size(), 1U) << "it has no such image";
    EXPECT_EQ(other_.requests().size(), 3U) << "it has the image and lacks the blob";
    EXPECT_EQ(registry_.requests().size(), 1U);
}

TEST_F(RegistryMirrorTest, ABlobGoesOnAtTheNextPlaceWhereItStopped) {
    const std::string content = big_blob(kBlobSize);
    publish();
    publish_at(mirror_, "team/os");
    mirror_.add_blob(content);
    options_.max_attempts = 1;
    mirror_.add_fault({.path = "/blobs/" + test::oci_digest(content), .close_after = 700'000});
    arrange({mirror_.host()});
    EXPECT_EQ(run(content), content);
    ASSERT_EQ(registry_.requests().size(), 1U);
    EXPECT_EQ(registry_.requests()[0].headers.at("range"), "bytes=700000-");
    EXPECT_LE(source_->bytes_fetched(), kBlobSize * 11 / 10);
}

TEST_F(RegistryMirrorTest, AMirrorThatFellSilentIsNotAskedForTheNextBlob) {
    const std::string one = big_blob(1000);
    const std::string two = big_blob(2000);
    publish_at(mirror_, "team/os");
    mirror_.add_fault({.path = "/blobs/" + test::oci_digest(one), .status = 503});
    mirror_.add_blob(two);
    arrange({mirror_.host()});
    EXPECT_EQ(run(one), one);
    const auto asked = mirror_.requests().size();
    MemorySink sink(two.size());
    source_->fetch_blob(test::descriptor_of(two), sink, {});
    EXPECT_EQ(as_text(sink.bytes()), two);
    EXPECT_EQ(mirror_.requests().size(), asked);
}

TEST_F(RegistryMirrorTest, ADeadMirrorAndAForeignAnswerAreNoObstacles) {
    std::string gone;
    {
        const TestRegistry brief;
        gone = brief.host();
    }
    publish();
    mirror_.add_fault({.status = 200, .content_type = "text/html", .body = "<html>log in"});
    other_.add_fault({.status = 401});
    arrange({gone, mirror_.host(), other_.host()});
    EXPECT_EQ(as_text(resolve().manifest_bytes), image_.manifest());
    EXPECT_EQ(registry_.requests().size(), 2U);
}

TEST_F(RegistryMirrorTest, WrongBytesOfAMirrorAreNeverMadeGood) {
    const std::string content = big_blob(kBlobSize);
    publish_at(mirror_, "team/os");
    mirror_.add_blob(content);
    mirror_.add_fault({.path = "/blobs/" + test::oci_digest(content), .flip_byte = 5});
    arrange({mirror_.host()});
    expect_error(ErrorCode::DigestMismatch, "has other bytes", [&] { (void)run(content); });
}

TEST_F(RegistryMirrorTest, TheOriginsFailureIsTheOneThatIsTold) {
    mirror_.add_fault({.status = 500});
    arrange({mirror_.host()});
    expect_error(ErrorCode::NotFound, registry_.host(), [&] { (void)resolve(); });
}

TEST_F(RegistryMirrorTest, ABlockedRegistryIsNotAskedAtAll) {
    publish();
    arrange({}, "blocked = true\n");
    expect_error(ErrorCode::RegistryBlocked, registry_.host(), [&] { (void)resolve(); });
    EXPECT_TRUE(registry_.requests().empty());
}

TEST_F(RegistryMirrorTest, AMirrorsCredentialsAreItsOwn) {
    publish_at(mirror_, "cache/team/os");
    mirror_.set_guard({.basic = "YW5uOm9uZQ==", .tokens = false});
    arrange({mirror_.host() + "/cache"});
    options_.auth_files = {dir_ / "auth.json"};
    std::ofstream(dir_ / "auth.json")
        << R"({"auths":{")" << registry_.host() << R"(":{"auth":"Ym9iOnR3bw=="},")"
        << mirror_.host() << R"(/cache":{"auth":"YW5uOm9uZQ=="}}})";
    EXPECT_EQ(as_text(resolve().manifest_bytes), image_.manifest());
    EXPECT_TRUE(registry_.requests().empty());
}

TEST_F(RegistryMirrorTest, AnUnknownCertificateIsForInsecurePlacesOnly) {
    TestRegistry tls(make_certificate(dir_, "mirror"));
    publish_at(tls, "team/os");
    arrange({tls.host()});
    expect_error(ErrorCode::NotFound, registry_.host(), [&] { (void)resolve(); });
    EXPECT_TRUE(tls.requests().empty());
    arrange({tls.host() + "\"\ninsecure = true #"});
    EXPECT_EQ(as_text(resolve().manifest_bytes), image_.manifest());
}

}  // namespace
}  // namespace cfs::net
