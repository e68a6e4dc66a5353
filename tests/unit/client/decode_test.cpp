// SPDX-License-Identifier: Apache-2.0
#include "client/bus/decode.hpp"

#include <gtest/gtest.h>

namespace cfs::client {
namespace {

using bus::VariantMap;

sdbus::Variant text(const char* value) {
    return sdbus::Variant{std::string(value)};
}

TEST(Decode, AnEmptyMapMeansNone) {
    const Status status = decode_status({{"Booted", sdbus::Variant{VariantMap{}}}});
    EXPECT_FALSE(status.booted);
    EXPECT_FALSE(status.available);
}

TEST(Decode, ADeploymentTakesItsKeys) {
    const VariantMap map = {{"digest", text("ab")},
                            {"state", text("kept")},
                            {"installed", sdbus::Variant{std::int64_t{5}}},
                            {"next", sdbus::Variant{true}},
                            {"pinned", sdbus::Variant{true}},
                            {"trial", sdbus::Variant{true}},
                            {"manifest-digest", text("sha256:00")},
                            {"of-the-future", text("x")}};
    const Status status =
        decode_status({{"Rollback", sdbus::Variant{map}},
                       {"Deployments", sdbus::Variant{std::vector<VariantMap>{map, map}}}});
    ASSERT_TRUE(status.rollback);
    EXPECT_EQ(status.rollback->digest, "ab");
    EXPECT_EQ(status.rollback->state, "kept");
    EXPECT_EQ(status.rollback->installed, 5);
    EXPECT_TRUE(status.rollback->next);
    EXPECT_TRUE(status.rollback->pinned);
    EXPECT_TRUE(status.rollback->trial);
    EXPECT_EQ(status.rollback->manifest_digest, "sha256:00");
    EXPECT_EQ(status.deployments.size(), 2U);
}

TEST(Decode, AnotherTypeReadsAsEmpty) {
    const Deployment deployment = decode_deployment({{"digest", sdbus::Variant{7}}});
    EXPECT_EQ(deployment.digest, "");
}

TEST(Decode, AHistoryEntryTakesItsKeys) {
    const HistoryEntry entry = decode_history({{"kind", text("update")},
                                               {"result", text("failed")},
                                               {"time", sdbus::Variant{std::int64_t{5}}},
                                               {"first", sdbus::Variant{std::int64_t{4}}},
                                               {"times", sdbus::Variant{std::uint64_t{3}}},
                                               {"from-version", text("1")},
                                               {"from-digest", text("aa")},
                                               {"to-version", text("2")},
                                               {"to-digest", text("bb")},
                                               {"error", text("Network")},
                                               {"message", text("no route")},
                                               {"fetched-bytes", sdbus::Variant{std::uint64_t{6}}},
                                               {"reused-bytes", sdbus::Variant{std::uint64_t{7}}},
                                               {"duration-ms", sdbus::Variant{std::uint64_t{8}}},
                                               {"initiator", text("user")},
                                               {"uid", sdbus::Variant{std::uint64_t{1000}}}});
    EXPECT_EQ(entry.kind + entry.result + entry.error + entry.message,
              "updatefailedNetworkno route");
    EXPECT_EQ(entry.from.version + entry.from.digest + entry.to.version + entry.to.digest,
              "1aa2bb");
    EXPECT_EQ(entry.time - entry.first, 1);
    EXPECT_EQ(entry.times, 3U);
    EXPECT_EQ(entry.fetched_bytes, 6U);
    EXPECT_EQ(entry.reused_bytes, 7U);
    EXPECT_EQ(entry.duration_ms, 8U);
    EXPECT_EQ(entry.initiator, "user");
    EXPECT_EQ(entry.uid, 1000U);
    EXPECT_EQ(decode_history({}).times, 1U);
}

TEST(Decode, UpdateAndCollectResults) {
    const UpdateOutcome update =
        decode_update({{"outcome", text("staged")},
                       {"version", text("2")},
                       {"fetched-bytes", sdbus::Variant{std::uint64_t{9}}},
                       {"etc-changes", sdbus::Variant{std::vector<std::string>{"/etc/x"}}},
                       {"etc-conflicts", sdbus::Variant{std::vector<std::string>{"/etc/y"}}}});
    EXPECT_EQ(update.outcome, "staged");
    EXPECT_EQ(update.deployment.version, "2");
    EXPECT_EQ(update.fetched_bytes, 9U);
    EXPECT_EQ(update.etc_changes, (std::vector<std::string>{"/etc/x"}));
    EXPECT_EQ(update.etc_conflicts, (std::vector<std::string>{"/etc/y"}));
    const CollectOutcome collect = decode_collect(
        {{"dry-run", sdbus::Variant{true}}, {"items-omitted", sdbus::Variant{std::uint64_t{3}}}});
    EXPECT_TRUE(collect.dry_run);
    EXPECT_EQ(collect.items_omitted, 3U);
}

TEST(Decode, VerifyAndRepairResults) {
    EXPECT_TRUE(decode_verify({}).sound);
    const VerifyOutcome verify =
        decode_verify({{"full", sdbus::Variant{true}},
                       {"missing", sdbus::Variant{std::uint64_t{2}}},
                       {"unvouched", sdbus::Variant{std::uint64_t{3}}},
                       {"items", sdbus::Variant{std::vector<std::string>{"one", "two"}}}});
    EXPECT_TRUE(verify.full);
    EXPECT_FALSE(verify.sound);
    EXPECT_EQ(verify.unvouched, 3U);
    EXPECT_EQ(verify.items.size(), 2U);
    const RepairOutcome repair =
        decode_repair({{"damaged", sdbus::Variant{std::uint64_t{1}}},
                       {"repaired", sdbus::Variant{std::uint64_t{1}}},
                       {"layers", sdbus::Variant{std::uint64_t{4}}},
                       {"fetched-bytes", sdbus::Variant{std::uint64_t{5}}}});
    EXPECT_FALSE(repair.found.sound);
    EXPECT_EQ(repair.repaired, 1U);
    EXPECT_EQ(repair.layers, 4U);
    EXPECT_EQ(repair.fetched_bytes, 5U);
}

TEST(Decode, EtcResults) {
    using Maps = std::vector<std::map<std::string, std::string>>;
    const EtcPreview preview = decode_etc_preview(
        {{"deployment", sdbus::Variant{std::string("2")}},
         {"local-only", sdbus::Variant{true}},
         {"omitted", sdbus::Variant{std::uint64_t{3}}},
         {"changes", sdbus::Variant{Maps{{{"path", "a"}, {"kind", "merged"}, {"lost", "local"}}}}},
         {"conflicts", sdbus::Variant{Maps{{{"path", "b"}, {"kind", "id"}, {"hint", "h"}}}}}});
    EXPECT_EQ(preview.deployment, "2");
    EXPECT_TRUE(preview.local_only);
    EXPECT_EQ(preview.omitted, 3U);
    ASSERT_EQ(preview.changes.size(), 1U);
    EXPECT_EQ(preview.changes[0].kind, "merged");
    EXPECT_EQ(preview.changes[0].lost, "local");
    ASSERT_EQ(preview.conflicts.size(), 1U);
    EXPECT_EQ(preview.conflicts[0].hint, "h");
    EXPECT_EQ(preview.conflicts[0].what, "");
    EXPECT_FALSE(preview.diff.has_value());
    EXPECT_TRUE(decode_etc_preview({}).changes.empty());
    const EtcRestored restored = decode_etc_restored({{"restored", sdbus::Variant{true}},
                                                      {"path", sdbus::Variant{std::string("a")}},
                                                      {"was", sdbus::Variant{std::string("b")}}});
    EXPECT_TRUE(restored.restored);
    EXPECT_EQ(restored.path, "a");
    EXPECT_EQ(restored.was, "b");
}

TEST(Decode, AJobHasRateTimeLeftAndInitiator) {
    JobState job;
    merge_job(job, {});
    EXPECT_EQ(job.initiator_uid, std::nullopt) << "an older daemon";
    const sdbus::Struct<std::uint32_t, std::string> initiator{std::uint32_t{1000},
                                                              std::string(":1.7")};
    merge_job(job,
              {{"Rate", sdbus::Variant{std::uint64_t{5000}}},
               {"Eta", sdbus::Variant{std::uint64_t{60}}},
               {"Initiator", sdbus::Variant{initiator}}});
    EXPECT_EQ(job.rate, 5000U);
    EXPECT_EQ(job.eta, 60U);
    EXPECT_EQ(job.initiator_uid, std::optional<std::uint32_t>(1000));
}

TEST(Decode, AJobKeepsWhatDidNotChange) {
    JobState job;
    merge_job(job, {{"Kind", text("update")}, {"State", text("running")}});
    merge_job(job, {{"Stage", text("fetch")}});
    EXPECT_EQ(job.kind, "update");
    EXPECT_EQ(job.stage, "fetch");
    EXPECT_FALSE(job.ended());
    merge_job(job, {{"State", text("cancelled")}});
    EXPECT_TRUE(job.ended());
}

}  // namespace
}  // namespace cfs::client
