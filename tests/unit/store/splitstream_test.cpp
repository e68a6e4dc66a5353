// SPDX-License-Identifier: Apache-2.0
#include "store/splitstream.hpp"

#include "base/file_io.hpp"
#include "store_fixture.hpp"

#include <gtest/gtest.h>

#include <random>

namespace cfs::store {
namespace {

using test::NewStore;

/// The parts of a stream as text: "L<bytes>" runs and "X<digest>/<size>".
class Recorder final : public SplitstreamVisitor {
 public:
    void literal(ByteView data) override {
        if (parts.empty() || parts.back().front() != 'L') parts.emplace_back("L");
        parts.back() += as_text(data);
    }

    void external(const Digest& object, std::uint64_t size) override {
        parts.push_back("X" + object.hex() + "/" + std::to_string(size));
    }

    std::vector<std::string> parts;
};

std::string cat(const NewStore& store, const std::string& name) {
    MemorySink sink(std::size_t{1} << 26);
    cat_stream(*store, name, sink);
    return std::string(as_text(sink.bytes()));
}

Bytes raw(const NewStore& store, const Digest& digest) {
    const UniqueFd fd = store->open_object(digest);
    return read_whole(fd.get(), std::size_t{1} << 26);
}

std::string noise(std::size_t size) {
    std::mt19937 random(42);
    std::string out(size, '\0');
    for (auto& c : out)
        c = static_cast<char>(random());
    return out;
}

TEST(Splitstream, ComesBackInItsParts) {
    const NewStore store;
    const Digest object = store.put("external content");
    SplitstreamWriter writer(*store);
    writer.literal(as_bytes("head"));
    writer.literal(as_bytes("er"));
    writer.external(object, 16);
    writer.external(object, 16);
    writer.literal(as_bytes("tail"));
    EXPECT_EQ(writer.total_size(), 42U);
    const Digest stream = writer.finish(kOciLayer);
    Recorder recorder;
    read_splitstream(*store, stream, recorder);
    const std::string external = "X" + object.hex() + "/16";
    EXPECT_EQ(recorder.parts, (std::vector<std::string>{"Lheader", external, external, "Ltail"}));
    store->link_stream("name", stream);
    EXPECT_EQ(cat(store, "name"), "headerexternal contentexternal contenttail");
}

TEST(Splitstream, TablesHoldEachDigestOnceInFirstUseOrder) {
    const NewStore store;
    const Digest one = store.put("1");
    const Digest two = store.put("2");
    SplitstreamWriter writer(*store);
    for (const auto& digest : {two, one, two})
        writer.external(digest, 1);
    writer.named_ref("z", two);
    writer.named_ref("a", one);
    writer.named_ref("b", two);
    const auto stream = open_splitstream(*store, writer.finish(kOciConfig));
    EXPECT_EQ(stream.object_refs(), (std::vector<Digest>{two, one}));
    EXPECT_EQ(stream.stream_refs(), (std::vector<Digest>{two, one}));
    const std::map<std::string, Digest> names = {{"a", one}, {"b", two}, {"z", two}};
    EXPECT_EQ(stream.named_refs(), names);
}

TEST(Splitstream, FileHasTheLayoutOfTheFormat) {
    const NewStore store(HashAlgorithm::Sha512);
    const Digest object = store.put("external");
    SplitstreamWriter writer(*store);
    writer.external(object, 8);
    writer.named_ref("ref", object);
    const Bytes file = raw(store, writer.finish(kOciManifest));
    EXPECT_EQ(as_text(ByteView(file).first(11)), "SplitStream");
    EXPECT_EQ(to_hex(ByteView(file).subspan(11, 5)), "000000020c");
    EXPECT_EQ(load_le<std::uint64_t>(file, 16), 32U);
    EXPECT_EQ(load_le<std::uint64_t>(file, 24), 112U);
    EXPECT_EQ(load_le<std::uint64_t>(file, 32), 112U) << "stream_refs";
    EXPECT_EQ(load_le<std::uint64_t>(file, 48), 176U) << "object_refs";
    EXPECT_EQ(load_le<std::uint64_t>(file, 80), 240U) << "named_refs";
    EXPECT_EQ(load_le<std::uint64_t>(file, 64), load_le<std::uint64_t>(file, 88)) << "stream";
    EXPECT_EQ(load_le<std::uint64_t>(file, 72), file.size());
    EXPECT_EQ(as_text(ByteView(file).subspan(96, 8)), "ocimanif");
    EXPECT_EQ(load_le<std::uint64_t>(file, 104), 8U);
}

TEST(Splitstream, EmptyOneIsAStreamOfNothing) {
    const NewStore store;
    SplitstreamWriter writer(*store);
    store->link_stream("name", writer.finish(kOciBlob));
    EXPECT_EQ(cat(store, "name"), "");
    EXPECT_TRUE(open_splitstream(*store, *store->find_stream("name")).named_refs().empty());
}

TEST(Splitstream, RunsLargerThanTheMemoryComeBackBitForBit) {
    const NewStore store;
    const std::string large = noise(std::size_t{3} << 20);
    const Digest object = store.put(large);
    SplitstreamWriter writer(*store);
    for (std::size_t at = 0; at < large.size(); at += 100000) {
        writer.literal(as_bytes(std::string_view(large).substr(at, 100000)));
    }
    writer.external(object, large.size());
    writer.literal(as_bytes(large.substr(0, 700000)));
    store->link_stream("name", writer.finish(kOciLayer));
    EXPECT_TRUE(cat(store, "name") == large + large + large.substr(0, 700000));
}

TEST(Splitstream, OneNameForTwoTargetsIsRefused) {
    const NewStore store;
    SplitstreamWriter writer(*store);
    writer.named_ref("name", store.put("1"));
    EXPECT_NO_THROW(writer.named_ref("name", store.put("1")));
    EXPECT_ERROR(writer.named_ref("name", store.put("2")), ErrorCode::InvalidArgs, "'name'");
}

TEST(Splitstream, TheOtherHashIsRefused) {
    const NewStore store;
    const NewStore other(HashAlgorithm::Sha512);
    SplitstreamWriter writer(*store);
    EXPECT_ERROR(writer.external(other.put("1"), 1), ErrorCode::Unsupported, "sha512");
}

TEST(Splitstream, AbandonedWriterLeavesNothing) {
    const NewStore store;
    const std::string before = test::tree_listing(store.dir().path());
    {
        SplitstreamWriter writer(*store);
        writer.literal(as_bytes(noise(std::size_t{2} << 20)));
    }
    EXPECT_EQ(test::tree_listing(store.dir().path()), before);
}

TEST(Splitstream, UnknownNameIsNotFound) {
    const NewStore store;
    MemorySink sink(1);
    EXPECT_ERROR(cat_stream(*store, "name", sink), ErrorCode::NotFound, "'name'");
}

TEST(Splitstream, MissingExternalObjectIsNamed) {
    const NewStore store;
    const Digest object = store.put("external");
    SplitstreamWriter writer(*store);
    writer.external(object, 8);
    store->link_stream("name", writer.finish(kOciLayer));
    ASSERT_EQ(::unlink((store.dir() / ("objects/" + object_path(object))).c_str()), 0);
    MemorySink sink(100);
    EXPECT_ERROR(cat_stream(*store, "name", sink), ErrorCode::NotFound, object.hex());
}

TEST(Splitstream, DamagedExternalObjectIsNeverHandedOut) {
    const NewStore store;
    const Digest object = store.put("external");
    SplitstreamWriter writer(*store);
    writer.external(object, 8);
    store->link_stream("name", writer.finish(kOciLayer));
    store.damage(object);
    MemorySink sink(100);
    EXPECT_ERROR(cat_stream(*store, "name", sink), ErrorCode::StateCorrupt, object.hex());
    EXPECT_TRUE(sink.bytes().empty());
}

TEST(Splitstream, OldHeaderIsRead) {
    const NewStore store;
    SplitstreamWriter writer(*store);
    writer.literal(as_bytes("content"));
    Bytes file = raw(store, writer.finish(kOciLayer));
    // Info range @0, flags @16, magic @18, version @29, algorithm @30, log2 block size @31.
    Bytes header(32, 0);
    store_le<std::uint64_t>(header, 0, 32);
    store_le<std::uint64_t>(header, 8, 112);
    const std::string_view magic = "SplitStream";
    std::copy(magic.begin(), magic.end(), header.begin() + 18);
    header[30] = 1;
    header[31] = 12;
    std::copy(header.begin(), header.end(), file.begin());
    store->link_stream("name", store->put_object(file));
    EXPECT_EQ(cat(store, "name"), "content");
}

}  // namespace
}  // namespace cfs::store
