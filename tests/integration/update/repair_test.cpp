// SPDX-License-Identifier: Apache-2.0
// The store is damaged in every way that one file can be; repair brings back the very bytes and
// fetches no layer but the one that has them.
#include "base/error.hpp"
#include "image/erofs_reader.hpp"
#include "repair_site.hpp"
#include "store/fsck.hpp"
#include "store/splitstream.hpp"
#include "update/layer_import.hpp"
#include "update/machine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <ostream>

namespace cfs {
namespace {

using test::error_name;
using test::RepairSite;

constexpr const char* kBig = "usr/lib/big";
constexpr const char* kAppData = "usr/share/app/data";

/// Paths in the store that differ: replaced, changed, gone or new.
std::vector<std::string> changed(const std::map<std::string, std::string>& before,
                                 const std::map<std::string, std::string>& after) {
    std::vector<std::string> out;
    for (const auto& [path, what] : before) {
        const auto now = after.find(path);
        if (now == after.end() || now->second != what) out.push_back(path);
    }
    for (const auto& [path, what] : after) {
        if (before.count(path) == 0) out.push_back(path);
    }
    return out;
}

std::string object_file(const Digest& object) {
    return "objects/" + store::object_path(object);
}

std::string fsck_of(const RepairSite& machine) {
    std::string out;
    for (const auto& finding : store::fsck(*machine.store(), image::erofs_objects, false).findings)
        out += finding.path + ": " + finding.problem + "\n";
    return out;
}

struct Way {
    const char* name;
    void (RepairSite::*damage)(const Digest&);
    bool fast_finds_it;  ///< also without fs-verity
    bool missing;
};

std::ostream& operator<<(std::ostream& out, const Way& way) {
    return out << way.name;
}

class DamagedObject : public testing::TestWithParam<Way> {};

TEST_P(DamagedObject, IsFoundAndHealedByteForByteFromItsLayerAlone) {
    RepairSite machine;
    const Digest object = machine.object_of(kBig);
    const std::string bytes = machine.site.dir.read(RepairSite::path_of(object));
    const auto before = machine.everything();
    (machine.*GetParam().damage)(object);

    const bool has_verity = machine.store()->secure();
    EXPECT_EQ(machine.verify().sound(), !GetParam().fast_finds_it && !has_verity);
    const auto found = machine.verify(true);
    ASSERT_EQ(found.items.size(), 1U);
    EXPECT_EQ(found.items[0].find("object " + object.hex() + ": "), 0U) << found.items[0];
    EXPECT_NE(found.items[0].find("(version 1, /usr/lib/big)"), std::string::npos);
    EXPECT_EQ(found.missing, GetParam().missing ? 1U : 0U);
    EXPECT_EQ(found.damaged, GetParam().missing ? 0U : 1U);
    EXPECT_EQ(machine.registry().requests().size(), 0U);

    const auto result = machine.repair();
    EXPECT_EQ(result.repaired, 1U);
    EXPECT_EQ(result.layers, 1U);
    EXPECT_EQ(result.found.items, found.items);
    EXPECT_EQ(result.fetched_bytes, RepairSite::blob_size("v1", 0));
    EXPECT_EQ(machine.registry().body_bytes_sent(), result.fetched_bytes);
    EXPECT_EQ(machine.site.dir.read(RepairSite::path_of(object)), bytes);
    for (const std::string& path : changed(before, machine.everything()))
        EXPECT_EQ(path, object_file(object));
    EXPECT_TRUE(machine.verify(true).sound());
    EXPECT_EQ(fsck_of(machine), "");
    EXPECT_EQ(machine.repair().repaired, 0U);
}

INSTANTIATE_TEST_SUITE_P(Ways,
                         DamagedObject,
                         testing::Values(Way{"garbled", &RepairSite::garble, false, false},
                                         Way{"cut", &RepairSite::cut, true, false},
                                         Way{"lost", &RepairSite::lose, true, true}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Repair, MakesTheImageAnewWithoutANetwork) {
    RepairSite machine;
    const Digest image = machine.newest().image;
    const std::string bytes = machine.site.dir.read(RepairSite::path_of(image));
    for (const auto damage : {&RepairSite::garble, &RepairSite::cut, &RepairSite::lose}) {
        (machine.*damage)(image);
        // What the layers name is known all the same.
        const auto found = machine.verify();
        ASSERT_EQ(found.items.size(), 1U);
        EXPECT_EQ(found.items[0].find("image " + image.hex()), 0U) << found.items[0];
        const auto result = machine.repair();
        EXPECT_EQ(result.repaired, 1U);
        EXPECT_EQ(result.fetched_bytes, 0U);
        EXPECT_EQ(machine.site.dir.read(RepairSite::path_of(image)), bytes);
    }
    EXPECT_EQ(machine.registry().requests().size(), 0U);
    EXPECT_EQ(fsck_of(machine), "");
}

/// A sound stream, and another layer's: nothing but putting it together tells.
TEST(Repair, FetchesALayerWhoseLinkLeadsToAnother) {
    RepairSite machine;
    const std::string app = RepairSite::layer_stream("v1", 1);
    const std::string base = RepairSite::layer_stream("v1", 0);
    machine.store()->link_stream(app, machine.object_of_stream(base));
    EXPECT_TRUE(machine.verify().sound());
    const auto found = machine.verify(true);
    ASSERT_EQ(found.items.size(), 1U);
    EXPECT_EQ(found.items[0],
              "stream streams/" + app + ": holds " + base.substr(std::string("oci-layer-").size()) +
                  " (version 1)");
    // What is made of the layers meanwhile is made of the right ones.
    machine.lose(machine.newest().image);
    const auto result = machine.repair();
    EXPECT_EQ(result.repaired, 2U);
    EXPECT_EQ(result.layers, 1U);
    EXPECT_EQ(result.fetched_bytes, RepairSite::blob_size("v1", 1));
    EXPECT_TRUE(machine.verify(true).sound());
    EXPECT_EQ(fsck_of(machine), "");
}

TEST(Repair, WithoutANetworkMakesNoImageOfAnothersLayer) {
    RepairSite machine;
    const Digest image = machine.newest().image;
    machine.store()->link_stream(RepairSite::layer_stream("v1", 1),
                                 machine.object_of_stream(RepairSite::layer_stream("v1", 0)));
    machine.lose(image);
    machine.unplug();
    std::string text;
    EXPECT_EQ(error_name([&] { (void)machine.repair(); }, &text), "Network") << text;
    EXPECT_FALSE(machine.store()->has_image(image));
}

TEST(Repair, TakesTheUkiFromTheEspWithoutANetwork) {
    RepairSite machine;
    const Digest uki = machine.newest().uki_object;
    const std::string bytes = machine.site.dir.read(RepairSite::path_of(uki));
    machine.lose(uki);
    EXPECT_NE(machine.verify().items.at(0).find("the UKI"), std::string::npos);
    EXPECT_EQ(machine.repair().fetched_bytes, 0U);
    EXPECT_EQ(machine.site.dir.read(RepairSite::path_of(uki)), bytes);
    EXPECT_EQ(machine.registry().requests().size(), 0U);
}

TEST(Repair, FetchesTheUkisLayerWhenTheEspHasOtherBytes) {
    RepairSite machine;
    const Digest uki = machine.newest().uki_object;
    const std::string bytes = machine.site.dir.read(RepairSite::path_of(uki));
    machine.cut(uki);
    const std::string entry = "esp/EFI/Linux/" + machine.site.entries().at(0);
    machine.site.dir.write(entry, machine.site.dir.read(entry) + "more");
    EXPECT_EQ(machine.repair().fetched_bytes, RepairSite::blob_size("v1", 2));
    EXPECT_EQ(machine.site.dir.read(RepairSite::path_of(uki)), bytes);
    EXPECT_EQ(machine.site.dir.read(entry), bytes);
}

TEST(Repair, SplitsALayerAnewWhoseStreamIsDamaged) {
    RepairSite machine;
    const std::string name = RepairSite::layer_stream("v1", 1);
    const Digest stream = machine.object_of_stream(name);
    const auto before = machine.everything();
    machine.garble(stream);
    const auto found = machine.verify();
    ASSERT_FALSE(found.sound());
    EXPECT_TRUE(std::any_of(found.items.begin(), found.items.end(), [&](const auto& item) {
        return item.find("stream streams/" + name + ": ") == 0;
    }));
    const auto result = machine.repair();
    EXPECT_EQ(result.fetched_bytes, RepairSite::blob_size("v1", 1));
    EXPECT_EQ(machine.registry().body_bytes_sent(), result.fetched_bytes);
    for (const std::string& path : changed(before, machine.everything()))
        EXPECT_EQ(path, object_file(stream));
    EXPECT_EQ(fsck_of(machine), "");
}

TEST(Repair, FindsObjectsThatOnlyALostStreamNamed) {
    RepairSite machine;
    machine.lose(machine.object_of_stream(RepairSite::layer_stream("v1", 0)));
    machine.lose(machine.object_of(kBig));
    machine.lose(machine.newest().image);
    const auto result = machine.repair();
    EXPECT_EQ(result.layers, 1U);
    EXPECT_EQ(machine.registry().body_bytes_sent(), RepairSite::blob_size("v1", 0));
    EXPECT_EQ(fsck_of(machine), "");
    EXPECT_TRUE(machine.verify(true).sound());
}

TEST(Repair, ANewStreamForALayerIsNamedByManifestAndConfig) {
    RepairSite machine;
    const std::string name = RepairSite::layer_stream("v1", 0);
    const std::string link = "sysroot/composefs/streams/" + name;
    const Digest good = machine.object_of_stream(name);
    // As another version of the compressor would have written it.
    const Digest odd = machine.store()->put_object(as_bytes("SplitStr of another make"));
    std::filesystem::remove(machine.site.dir / link);
    machine.store()->link_stream(name, odd);
    machine.lose(good);
    ASSERT_FALSE(machine.verify().sound());
    (void)machine.repair();
    EXPECT_EQ(machine.object_of_stream(name), good);
    (void)machine.site.engine().collect(false, machine.site.progress, {});
    EXPECT_EQ(fsck_of(machine), "");
    EXPECT_TRUE(machine.verify(true).sound());
}

TEST(Repair, FetchesManifestAndConfigByDigest) {
    RepairSite machine;
    const auto record = machine.newest();
    const auto before = machine.everything();
    const std::string manifest = update::manifest_stream_name(record.manifest);
    const Digest stream = machine.object_of_stream(manifest);
    machine.lose(stream);
    std::filesystem::remove(machine.site.dir / ("sysroot/composefs/streams/" + manifest));
    std::filesystem::remove(machine.site.dir / ("sysroot/composefs/streams/refs/" +
                                                update::manifest_pin(record.manifest)));
    EXPECT_EQ(machine.verify().missing, 2U);
    (void)machine.repair();
    for (const std::string& path : changed(before, machine.everything()))
        EXPECT_EQ(path, object_file(stream));
    for (const auto& request : machine.registry().requests())
        EXPECT_NE(request.target.find("sha256:"), std::string::npos) << request.target;
    EXPECT_EQ(fsck_of(machine), "");
}

TEST(Repair, FetchesTheBytesOfADamagedConfig) {
    RepairSite machine;
    const auto before = machine.everything();
    std::optional<Digest> bytes;
    for (const auto& stream : machine.store()->list_streams()) {
        if (!stream.name.starts_with("oci-config-")) continue;
        bytes = store::open_splitstream(*machine.store(), stream.object).object_refs().at(0);
    }
    ASSERT_TRUE(bytes);
    machine.garble(*bytes);
    EXPECT_FALSE(machine.verify().sound());
    const auto result = machine.repair();
    EXPECT_EQ(result.layers, 0U);
    EXPECT_EQ(result.fetched_bytes, machine.registry().body_bytes_sent());
    for (const std::string& path : changed(before, machine.everything()))
        EXPECT_EQ(path, object_file(*bytes));
    EXPECT_EQ(fsck_of(machine), "");
}

TEST(Repair, LinksAndPinsThatAreGoneComeBack) {
    RepairSite machine;
    const auto record = machine.newest();
    const auto before = machine.everything();
    const std::string store = machine.site.dir / "sysroot/composefs/";
    for (const std::string& path : {"images/refs/" + update::image_pin(record.image),
                                    "images/" + record.image.hex(),
                                    "streams/refs/" + update::manifest_pin(record.manifest)}) {
        std::filesystem::remove(store + path);
    }
    EXPECT_EQ(machine.verify().missing, 3U);
    EXPECT_EQ(machine.repair().fetched_bytes, 0U);
    EXPECT_EQ(machine.everything(), before);
    EXPECT_EQ(machine.registry().requests().size(), 0U);
}

TEST(Repair, OfAnObjectInTwoLayersFetchesTheSmallerOne) {
    RepairSite machine("twin");
    const Digest object = machine.object_of(kBig);
    ASSERT_EQ(machine.object_of("usr/share/app/twin"), object);
    ASSERT_LT(RepairSite::blob_size("twin", 1), RepairSite::blob_size("twin", 0));
    machine.garble(object);
    EXPECT_EQ(machine.repair().fetched_bytes, RepairSite::blob_size("twin", 1));
    EXPECT_TRUE(machine.verify(true).sound());
    // With one beside it that only the base has, the base alone is enough.
    machine.garble(object);
    machine.garble(machine.object_of("usr/share/data/file7"));
    EXPECT_EQ(machine.repair().fetched_bytes, RepairSite::blob_size("twin", 0));
    EXPECT_TRUE(machine.verify(true).sound());
}

TEST(Repair, OfAnObjectThatAKeptDeploymentSharesFetchesItOnce) {
    RepairSite machine;
    machine.update("v2");
    const std::uint64_t sent = machine.registry().body_bytes_sent();
    machine.garble(machine.object_of(kBig));
    machine.garble(machine.object_of(kAppData));
    const auto found = machine.verify(true);
    ASSERT_EQ(found.items.size(), 2U);
    const std::string all = found.items[0] + found.items[1];
    EXPECT_NE(all.find("(version 2, 1, /usr/lib/big)"), std::string::npos) << all;
    EXPECT_NE(all.find("(version 2, /usr/share/app/data)"), std::string::npos) << all;
    EXPECT_EQ(machine.repair("1").repaired, 1U);
    EXPECT_EQ(machine.registry().body_bytes_sent() - sent, RepairSite::blob_size("v1", 0));
    EXPECT_EQ(machine.verify(true).items.size(), 1U);
    EXPECT_EQ(machine.repair().fetched_bytes, RepairSite::blob_size("v2", 1));
    EXPECT_TRUE(machine.verify(true).sound());
}

TEST(Repair, WithoutANetworkSaysSoAndChangesNothing) {
    RepairSite machine;
    machine.garble(machine.object_of(kBig));
    const auto before = machine.everything();
    machine.unplug();
    std::string text;
    EXPECT_EQ(error_name([&] { (void)machine.repair(); }, &text), "Network");
    EXPECT_NE(text.find("repaired 0 of 1"), std::string::npos) << text;
    EXPECT_NE(text.find("/usr/lib/big"), std::string::npos) << text;
    EXPECT_EQ(machine.everything(), before);
}

TEST(Repair, OfALayerThatTheRegistryLostSaysWhatToDoNext) {
    RepairSite machine;
    machine.garble(machine.object_of(kBig));
    machine.garble(machine.object_of(kAppData));
    machine.registry().add_fault({.path = RepairSite::blob_digest("v1", 0), .status = 404});
    std::string text;
    EXPECT_EQ(error_name([&] { (void)machine.repair(); }, &text), "NotFound");
    // What another layer has is healed all the same.
    EXPECT_NE(text.find("repaired 1 of 2"), std::string::npos) << text;
    EXPECT_NE(text.find("cfsctl update"), std::string::npos) << text;
    const auto left = machine.verify(true);
    ASSERT_EQ(left.items.size(), 1U);
    EXPECT_NE(left.items[0].find("/usr/lib/big"), std::string::npos) << left.items[0];
}

TEST(Repair, WritesNothingThatARegistryPutIntoTheLayer) {
    RepairSite machine;
    machine.garble(machine.object_of(kBig));
    const auto before = machine.everything();
    machine.registry().add_fault({.path = RepairSite::blob_digest("v1", 0), .flip_byte = 30000});
    const std::string name = error_name([&] { (void)machine.repair(); });
    EXPECT_TRUE(name == "DigestMismatch" || name == "BadFormat") << name;
    for (const std::string& path : changed(before, machine.everything()))
        EXPECT_EQ(path, object_file(machine.object_of(kBig)));
    machine.registry().clear_faults();
    (void)machine.repair();
    EXPECT_EQ(fsck_of(machine), "");
}

TEST(Repair, StopsWhenAskedTo) {
    RepairSite machine;
    machine.garble(machine.object_of(kBig));
    const auto before = machine.everything();
    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(error_name([&] {
                  (void)machine.site.engine().repair({}, machine.site.progress, stop.get_token());
              }),
              "Cancelled");
    EXPECT_EQ(machine.everything(), before);
}

}  // namespace
}  // namespace cfs
