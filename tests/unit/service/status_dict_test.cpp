// SPDX-License-Identifier: Apache-2.0
#include "service/status_dict.hpp"

#include <gtest/gtest.h>

#include <set>

namespace cfs::service {
namespace {

std::set<std::string> keys(const Dict& dict) {
    std::set<std::string> names;
    for (const auto& [key, value] : dict)
        names.insert(key);
    return names;
}

// The keys are the contract that dbus/org.cfsupdate1.*.xml documents.
const std::set<std::string> kDeploymentKeys{"digest",
                                            "version",
                                            "title",
                                            "uki",
                                            "state",
                                            "image",
                                            "manifest-digest",
                                            "installed",
                                            "next",
                                            "problem",
                                            "proven",
                                            "for-anyone",
                                            "locked",
                                            "pinned",
                                            "trial"};
const std::set<std::string> kAvailableKeys{
    "image", "version", "manifest-digest", "digest", "download-bytes", "reused-bytes", "checked"};

std::set<std::string> plus(std::set<std::string> one, const std::set<std::string>& other) {
    one.insert(other.begin(), other.end());
    return one;
}

TEST(StatusDict, HasTheDocumentedKeys) {
    EXPECT_EQ(keys(to_dict(update::DeploymentInfo{})), kDeploymentKeys);
    EXPECT_EQ(keys(to_dict(update::Available{})), kAvailableKeys);
    update::Available sized;
    sized.unpacked_bytes = 1;
    EXPECT_EQ(keys(to_dict(sized)), plus({"unpacked-bytes"}, kAvailableKeys));
    update::Available described;
    described.annotations = {{"org.cfsupdate1.changelog", "https://example.org/?a=1&b=%20"},
                             {"org.cfsupdate1.appstream", "https://example.org/x.xml"},
                             {"org.cfsupdate1.rollout.percent", "5"}};
    EXPECT_EQ(keys(to_dict(described)), plus({"changelog-url", "appstream-url"}, kAvailableKeys));
    for (const char* bad : {"",
                            "https://",
                            "http://example.org/",
                            "file:///etc/passwd",
                            "javascript:x",
                            "https://a b",
                            "https://a\n",
                            "https://a\"",
                            "https://<x>",
                            "https://\xc3\xbc",
                            " https://a"}) {
        described.annotations = {{"org.cfsupdate1.changelog", bad}};
        EXPECT_EQ(keys(to_dict(described)), kAvailableKeys) << bad;
    }
    EXPECT_EQ(keys(to_dict(update::Fallback{})),
              (std::set<std::string>{"version", "digest", "stem", "reason", "time"}));
    EXPECT_EQ(keys(to_dict(update::LastError{})),
              (std::set<std::string>{"name", "message", "hint", "details", "time"}));
    EXPECT_EQ(keys(to_dict(update::PinResult{})), plus({"changed"}, kDeploymentKeys));
    EXPECT_EQ(keys(to_dict(update::HistoryEntry{})),
              (std::set<std::string>{"kind",
                                     "result",
                                     "time",
                                     "first",
                                     "times",
                                     "from-version",
                                     "from-digest",
                                     "to-version",
                                     "to-digest",
                                     "error",
                                     "message",
                                     "fetched-bytes",
                                     "reused-bytes",
                                     "duration-ms",
                                     "initiator",
                                     "uid"}));
    EXPECT_EQ(keys(to_dict(update::CheckResult{})), plus({"update-available"}, kAvailableKeys));
    EXPECT_EQ(keys(to_dict(update::UpdateResult{})),
              plus({"outcome", "fetched-bytes", "reused-bytes", "etc-changes", "etc-conflicts"},
                   kDeploymentKeys));
    EXPECT_EQ(
        keys(to_dict(update::CollectResult{}, true)),
        (std::set<std::string>{
            "dry-run", "deployments", "items", "items-omitted", "objects", "bytes", "warnings"}));
    const std::set<std::string> found = {"full",
                                         "deployments",
                                         "objects",
                                         "streams",
                                         "bytes",
                                         "missing",
                                         "damaged",
                                         "unvouched",
                                         "items",
                                         "items-omitted",
                                         "warnings"};
    EXPECT_EQ(keys(to_dict(update::VerifyResult{})), plus(found, {"sound"}));
    EXPECT_EQ(keys(to_dict(update::RepairResult{})),
              plus(found, {"repaired", "layers", "fetched-bytes"}));
}

TEST(StatusDict, DamageIsNotSound) {
    update::VerifyResult result;
    EXPECT_EQ(to_dict(result).at("sound"), Value(true));
    result.missing = 1;
    EXPECT_EQ(to_dict(result).at("sound"), Value(false));
    result.missing = 0;
    result.damaged = 1;
    EXPECT_EQ(to_dict(result).at("sound"), Value(false));
}

TEST(StatusDict, WhatIsAbsentIsEmpty) {
    EXPECT_TRUE(to_dict(std::optional<update::DeploymentInfo>{}).empty());
    EXPECT_FALSE(to_dict(std::optional<update::DeploymentInfo>{update::DeploymentInfo{}}).empty());
}

TEST(StatusDict, NamesAreTheDocumentedWords) {
    update::DeploymentInfo deployment;
    deployment.state = update::DeploymentState::RolledBack;
    EXPECT_EQ(to_dict(deployment).at("state"), Value(std::string("rolled-back")));
    deployment.state = update::DeploymentState::Failed;
    EXPECT_EQ(to_dict(deployment).at("state"), Value(std::string("failed")));
    update::UpdateResult result;
    EXPECT_EQ(to_dict(result).at("outcome"), Value(std::string("nothing-to-do")));
    result.outcome = update::UpdateOutcome::Staged;
    EXPECT_EQ(to_dict(result).at("outcome"), Value(std::string("staged")));
    result.outcome = update::UpdateOutcome::Finalized;
    EXPECT_EQ(to_dict(result).at("outcome"), Value(std::string("finalized")));
}

TEST(StatusDict, ALongListIsCutAndCounted) {
    update::CollectResult result;
    result.items.assign(kMaxItems + 3, "x");
    const Dict dict = to_dict(result, true);
    EXPECT_EQ(std::get<StringList>(dict.at("items")).size(), kMaxItems);
    EXPECT_EQ(dict.at("items-omitted"), Value(std::uint64_t{3}));
    result.items.assign(2, "x");
    EXPECT_EQ(to_dict(result, true).at("items-omitted"), Value(std::uint64_t{0}));
}

TEST(StatusDict, AnErrorCarriesItsFourParts) {
    Error error(ErrorCode::EspFull, "no room", "remove something");
    error.set_details("needed 5, free 3");
    EXPECT_EQ(to_dict(error),
              (Dict{{"name", std::string("EspFull")},
                    {"message", std::string("no room")},
                    {"hint", std::string("remove something")},
                    {"details", std::string("needed 5, free 3")}}));
}

TEST(StatusDict, ListsAreCutAndWhatIsCutIsCounted) {
    const StringList lines(10, std::string(92, 'x'));  // 100 bytes each in a message
    Dict dict = {{"items", lines}, {"items-omitted", std::uint64_t{5}}, {"warnings", lines}};
    bound_lists(dict, 1000);
    EXPECT_EQ(std::get<StringList>(dict.at("items")).size(), 10U) << "it just fits";
    bound_lists(dict, 450);
    EXPECT_EQ(std::get<StringList>(dict.at("items")).size(), 4U);
    EXPECT_EQ(std::get<std::uint64_t>(dict.at("items-omitted")), 11U);
    const auto& warnings = std::get<StringList>(dict.at("warnings"));
    ASSERT_EQ(warnings.size(), 5U);
    EXPECT_EQ(warnings.back(), "... and 6 more");
}

TEST(StatusDict, ListsOfMapsAreCutToo) {
    const StringMaps maps(10, {{"path", std::string(80, 'x')}});  // 8 + 4 + 8 + 80 + 8
    Dict dict = {{"changes", maps}, {"conflicts", StringMaps{}}, {"omitted", std::uint64_t{0}}};
    bound_lists(dict, 330);
    EXPECT_EQ(std::get<StringMaps>(dict.at("changes")).size(), 3U);
    EXPECT_EQ(std::get<std::uint64_t>(dict.at("omitted")), 7U);
}

}  // namespace
}  // namespace cfs::service
