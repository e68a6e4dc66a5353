// SPDX-License-Identifier: Apache-2.0
#include "client/output/json.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <set>

namespace cfs::client {
namespace {

namespace json = boost::json;

std::set<std::string> keys(const json::value& value) {
    std::set<std::string> out;
    for (const auto& member : value.as_object())
        out.emplace(member.key());
    return out;
}

Status some_status() {
    Status status;
    status.state = "idle";
    Deployment deployment;
    deployment.digest = "abcd";
    deployment.version = "7";
    deployment.uki = "os_7.efi";
    deployment.state = "booted";
    status.booted = deployment;
    status.deployments = {deployment};
    return status;
}

TEST(StatusJson, HasThePromisedKeys) {
    const json::value value = json::parse(to_json(some_status()));
    EXPECT_EQ(keys(value),
              (std::set<std::string>{"schema",
                                     "state",
                                     "booted",
                                     "staged",
                                     "rollback",
                                     "deployments",
                                     "available",
                                     "last_error",
                                     "fallback",
                                     "fallen_back_from",
                                     "held",
                                     "reboot_pending",
                                     "soft_reboot_problem",
                                     "image",
                                     "verity",
                                     "warnings",
                                     "blockers",
                                     "daemon_version"}));
    EXPECT_EQ(value.at("schema").as_int64(), 1);
    EXPECT_EQ(value.at("state").as_string(), "idle");
}

TEST(StatusJson, ADeploymentHasThePromisedKeys) {
    const json::value value = json::parse(to_json(some_status()));
    const json::value& deployment = value.at("deployments").as_array().at(0);
    for (const char* key : {"digest", "version", "uki", "state"}) {
        EXPECT_TRUE(deployment.at(key).is_string()) << key;
    }
    EXPECT_EQ(deployment.at("state").as_string(), "booted");
    EXPECT_EQ(value.at("booted"), deployment);
}

TEST(StatusJson, WhatIsNotThereIsNull) {
    const json::value value = json::parse(to_json(some_status()));
    EXPECT_FALSE(value.at("fallback").as_bool());
    for (const char* key : {"staged", "rollback", "available", "last_error", "fallen_back_from"}) {
        EXPECT_TRUE(value.at(key).is_null()) << key;
    }
}

TEST(StatusJson, LastErrorAndAvailableAreObjects) {
    Status status = some_status();
    status.available = Available{"ref", "8", "sha256:00", "ff", 5, 6, 7};
    status.last_error = Failure{"Network", "no route", "try again", "", 9};
    const json::value value = json::parse(to_json(status));
    EXPECT_EQ(value.at("available").at("download_bytes").to_number<int>(), 5);
    EXPECT_EQ(value.at("last_error").at("name").as_string(), "Network");
    EXPECT_EQ(value.at("last_error").at("hint").as_string(), "try again");
}

TEST(StatusJson, AFallbackSaysFromWhatAndWhy) {
    Status status = some_status();
    status.fallback = Fallback{"8", "ff", "os_8", "no disk", 9};
    const json::value value = json::parse(to_json(status));
    EXPECT_TRUE(value.at("fallback").as_bool());
    EXPECT_EQ(value.at("fallen_back_from").at("version").as_string(), "8");
    EXPECT_EQ(value.at("fallen_back_from").at("reason").as_string(), "no disk");
}

TEST(StatusJson, WhatIsHeldIsAList) {
    Status status = some_status();
    EXPECT_TRUE(json::parse(to_json(status)).at("held").as_array().empty());
    status.held = {{"ff", "8", "failed"}};
    const json::value value = json::parse(to_json(status)).at("held").as_array().at(0);
    EXPECT_EQ(value.at("digest").as_string(), "ff");
    EXPECT_EQ(value.at("version").as_string(), "8");
    EXPECT_EQ(value.at("reason").as_string(), "failed");
}

TEST(StatusJson, IsOneLine) {
    Status status = some_status();
    status.warnings = {"two\nlines"};
    EXPECT_EQ(to_json(status).find('\n'), std::string::npos);
}

TEST(ResultJson, EveryResultNamesItsSchemaFirst) {
    const std::string start = R"({"schema":1,)";
    EXPECT_TRUE(to_json(std::vector<HistoryEntry>{}).starts_with(start));
    EXPECT_TRUE(to_json(CheckOutcome{}).starts_with(start));
    EXPECT_TRUE(to_json(UpdateOutcome{}).starts_with(start));
    EXPECT_TRUE(to_json(CollectOutcome{}).starts_with(start));
    EXPECT_TRUE(to_json(VerifyOutcome{}).starts_with(start));
    EXPECT_TRUE(to_json(RepairOutcome{}).starts_with(start));
    EXPECT_TRUE(to_json(EtcPreview{}).starts_with(start));
    EXPECT_TRUE(to_json(EtcRestored{}).starts_with(start));
    EXPECT_TRUE(to_json(Deployment{}).starts_with(start));
    EXPECT_TRUE(to_json(store::FsckReport{}).starts_with(start));
    EXPECT_TRUE(job_event_json(JobState{}).starts_with(start));
    EXPECT_TRUE(state_event_json("idle").starts_with(start));
}

TEST(HistoryJson, WhatIsNotKnownIsNullAndOnlyAUserHasAnId) {
    HistoryEntry root;
    root.kind = "proven";
    root.to = {"2", "ab"};
    root.initiator = "boot";
    HistoryEntry user = root;
    user.initiator = "user";
    user.uid = 1000;
    const json::value list = json::parse(to_json(std::vector{root, user})).at("history");
    EXPECT_TRUE(list.at(0).at("from").is_null());
    EXPECT_EQ(list.at(0).at("to").at("version").as_string(), "2");
    EXPECT_EQ(keys(list.at(0)),
              (std::set<std::string>{"kind",
                                     "result",
                                     "time",
                                     "first",
                                     "times",
                                     "from",
                                     "to",
                                     "error",
                                     "message",
                                     "fetched_bytes",
                                     "reused_bytes",
                                     "duration_ms",
                                     "initiator"}));
    EXPECT_EQ(list.at(1).at("uid").as_int64(), 1000);
}

TEST(ResultJson, AJobEventHasRateTimeLeftAndUser) {
    JobState job;
    job.rate = 5000;
    job.eta = 60;
    job.initiator_uid = 1000;
    const std::string text = job_event_json(job);
    EXPECT_NE(text.find(R"("rate":5000,"eta":60,"uid":1000})"), std::string::npos) << text;
}

TEST(ResultJson, AnErrorHasNameMessageHintAndDetails) {
    Error error(ErrorCode::DigestMismatch, "expected a, found b", "build it again");
    error.set_details("candidates");
    const json::value value = json::parse(to_json(error)).at("error");
    EXPECT_EQ(value.at("name").as_string(), "DigestMismatch");
    EXPECT_EQ(value.at("message").as_string(), "expected a, found b");
    EXPECT_EQ(value.at("hint").as_string(), "build it again");
    EXPECT_EQ(value.at("details").as_string(), "candidates");
}

TEST(ResultJson, FsckListsItsFindings) {
    store::FsckReport report;
    report.clean = false;
    report.findings = {{store::FindingKind::Object, "objects/ab/cd", "expected x, found y"}};
    const json::value value = json::parse(to_json(report));
    EXPECT_FALSE(value.at("clean").as_bool());
    EXPECT_EQ(value.at("findings").as_array().at(0).at("path").as_string(), "objects/ab/cd");
}

}  // namespace
}  // namespace cfs::client
