// SPDX-License-Identifier: Apache-2.0
#include "debian_registry.hpp"

#include "base/error.hpp"
#include "net/referrers.hpp"
#include "support/loopback.hpp"

#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

namespace cfs::test {
namespace {

constexpr std::size_t kLayer = std::size_t{2} << 20;

void wait_for_port(std::uint16_t port) {
    for (int i = 0; i < 600; ++i) {
        if (connect_loopback(port)) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    throw Error(ErrorCode::Internal, "docker-registry does not answer");
}

std::string random_bytes(std::size_t size) {
    std::mt19937 random(42);
    std::string out(size, '\0');
    for (char& c : out)
        c = static_cast<char>(random());
    return out;
}

/// A manifest that says it belongs to another one.
std::string artifact_of(const std::string& manifest) {
    return R"({"schemaVersion":2,"mediaType":")" + std::string(net::kOciManifest) +
           R"(","artifactType":"application/vnd.example.signature","config":)" +
           descriptor_json("application/vnd.oci.empty.v1+json", "{}") + R"(,"layers":[)" +
           descriptor_json("application/vnd.example.signature", "signed") + R"(],"subject":)" +
           descriptor_json(net::kOciManifest, manifest) + "}";
}

}  // namespace

DebianRegistry::DebianRegistry(const TempDir& dir,
                               const std::string& root,
                               const std::string& http,
                               const std::string& rest)
    : port_(bind_loopback().port) {
    const std::string config = dir / ("registry-" + std::to_string(port_) + ".yml");
    std::ofstream(config) << "version: 0.1\n"
                          << "log: { level: error, accesslog: { disabled: true } }\n"
                          << "storage: { filesystem: { rootdirectory: " << root << " } }\n"
                          << "http:\n  addr: '" << host() << "'\n"
                          << http << rest;
    process_ =
        std::make_unique<Child>(std::vector<std::string>{"docker-registry", "serve", config});
    wait_for_port(port_);
}

bool DebianRegistry::available() {
    return run({"sh", "-c", "command -v docker-registry"}).code == 0;
}

DebianRegistryFixture::DebianRegistryFixture() {
    options_.retry_base = std::chrono::milliseconds(1);
    image_.layers = {random_bytes(kLayer), "a small layer"};
    signature_ = artifact_of(image_.manifest());
}

void DebianRegistryFixture::SetUp() {
    if (!DebianRegistry::available()) GTEST_SKIP() << "docker-registry is not installed";
    const std::string layout = dir_ / "layout";
    write_layout(layout);
    const DebianRegistry plain(dir_, root_);
    const std::string list = net::referrers_tag(descriptor_of(image_.manifest()).digest);
    const Ended pushed =
        run({"python3", CFS_PUSH_LAYOUT, layout, plain.host() + "/team/os", "v1", list});
    ASSERT_EQ(pushed.code, 0) << pushed.err;
}

void DebianRegistryFixture::write_layout(const std::string& layout) const {
    std::filesystem::create_directories(layout + "/blobs/sha256");
    const auto add = [&](const std::string& content) {
        std::ofstream(
            layout + "/blobs/sha256/" + hash(HashAlgorithm::Sha256, as_bytes(content)).hex(),
            std::ios::binary)
            << content;
        return content;
    };
    for (const std::string& layer : image_.layers)
        (void)add(layer);
    (void)add(image_.config());
    (void)add("{}");
    (void)add("signed");
    (void)add(signature_);
    std::string list = index_json({descriptor_json(
        net::kOciManifest, signature_, R"(,"artifactType":"application/vnd.example.signature")")});
    list.insert(1, R"("mediaType":")" + std::string(net::kOciIndex) + "\",");
    const std::string manifest = add(image_.manifest());
    const std::string tag = net::referrers_tag(descriptor_of(manifest).digest);
    std::ofstream(layout + "/index.json")
        << index_json({descriptor_json(net::kOciManifest, manifest, tag_json("v1")),
                       descriptor_json(net::kOciIndex, add(list), tag_json(tag))});
}

std::unique_ptr<net::ImageSource> DebianRegistryFixture::open(const std::string& host,
                                                              const std::string& tag) const {
    return net::open_source(net::parse_image_ref("docker://" + host + "/team/os:" + tag), options_);
}

net::Resolved DebianRegistryFixture::resolve(const std::string& host) const {
    return open(host)->resolve(kAmd64, {});
}

void DebianRegistryFixture::expect_layer(net::ImageSource& source) const {
    const std::string& content = image_.layers.at(0);
    MemorySink sink(content.size());
    source.fetch_blob(descriptor_of(content), sink, {});
    EXPECT_TRUE(as_text(sink.bytes()) == content);
}

}  // namespace cfs::test
