// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/versions.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace cfs::sysupdate {
namespace {

client::Deployment deployment(const std::string& version,
                              const std::string& state,
                              const std::string& digits = "0123456789") {
    client::Deployment out;
    out.version = version;
    out.state = state;
    out.manifest_digest = "sha256:" + digits;
    return out;
}

client::Status with(std::vector<client::Deployment> newest_first) {
    client::Status status;
    status.deployments = std::move(newest_first);
    return status;
}

client::Deployment locked(const std::string& version) {
    auto out = deployment(version, "staged");
    out.digest = "digest-" + version;
    out.locked = true;
    return out;
}

std::string names(const Known& known) {
    std::string out;
    for (const Version& version : known.versions)
        out += (out.empty() ? "" : " ") + version.name;
    return out;
}

TEST(SysupdateVersions, OfAMachineWithNothingOnIt) {
    const Known known = know({});
    EXPECT_TRUE(known.versions.empty());
    EXPECT_EQ(known.installed, "");
    EXPECT_EQ(known.candidate(), "");
    EXPECT_EQ(known.find(""), nullptr);
}

TEST(SysupdateVersions, WhatIsStagedCountsAsInstalled) {
    for (const char* state : {"staged", "armed"}) {
        const Known known = know(with({deployment("2", state), deployment("1", "booted")}));
        EXPECT_EQ(known.installed, "2") << state;
        EXPECT_EQ(known.candidate(), "");
        EXPECT_TRUE(known.find("1")->obsolete);
        EXPECT_TRUE(known.find("1")->is_protected);
        EXPECT_FALSE(known.find("2")->obsolete);
    }
}

TEST(SysupdateVersions, WhatWasAcquiredDoesNot) {
    const Known known = know(with({locked("2"), deployment("1", "booted")}), "digest-2");
    EXPECT_EQ(known.installed, "1");
    EXPECT_EQ(known.candidate(), "2");
    ASSERT_TRUE(known.acquired);
    EXPECT_EQ(known.acquired->manifest_digest, "sha256:0123456789");
    EXPECT_TRUE(known.find("2")->available);
    EXPECT_FALSE(known.find("2")->installed);
}

TEST(SysupdateVersions, WhatSomebodyElseLockedIsNeitherOfferedNorInstalled) {
    for (const char* remembered : {"", "digest-1", "digest-3"}) {
        const Known known = know(with({locked("2"), deployment("1", "booted")}), remembered);
        EXPECT_EQ(known.installed, "1") << remembered;
        EXPECT_EQ(known.candidate(), "");
        EXPECT_FALSE(known.acquired);
        ASSERT_TRUE(known.locked);
        EXPECT_EQ(known.locked->name, "2");
        EXPECT_FALSE(known.find("2")->acquired);
        EXPECT_FALSE(known.find("2")->available);
    }
    auto nameless = locked("2");
    nameless.digest.clear();
    EXPECT_FALSE(know(with({nameless}), "").acquired) << "no digest is nobody's";
}

// The daemon's Update of it would arm it.
TEST(SysupdateVersions, WhatSomebodyElseLockedIsNoOfferEither) {
    auto status = with({locked("2"), deployment("1", "booted", "11")});
    status.available.emplace();
    status.available->version = "2";
    status.available->manifest_digest = status.deployments[0].manifest_digest;
    EXPECT_EQ(know(status).candidate(), "");
    status.available->manifest_digest = "sha256:33";
    EXPECT_EQ(know(status).candidate(), "2+33") << "another build of it is one";
}

TEST(SysupdateVersions, OnlyWhatIsStagedAndLockedIsAcquired) {
    auto unlocked = locked("2");
    unlocked.locked = false;
    EXPECT_FALSE(know(with({unlocked}), "digest-2").acquired);
    auto kept = locked("2");
    kept.state = "kept";
    EXPECT_FALSE(know(with({kept}), "digest-2").acquired);
}

TEST(SysupdateVersions, WhatWasLeftIsThereButNobodyHasIt) {
    for (const char* state : {"rolled-back", "failed"}) {
        const Known known = know(with({deployment("2", state), deployment("1", "booted")}));
        EXPECT_EQ(known.installed, "1") << state;
        EXPECT_EQ(known.candidate(), "");
        EXPECT_TRUE(known.find("2")->installed);
        EXPECT_FALSE(known.find("2")->newest);
        EXPECT_TRUE(known.find("1")->newest) << "of what counts as installed";
    }
}

TEST(SysupdateVersions, OthersAndBrokenOnesAreNotShown) {
    EXPECT_EQ(
        names(know(with(
            {deployment("3", "foreign"), deployment("2", "broken"), deployment("1", "booted")}))),
        "1");
}

TEST(SysupdateVersions, WhatACheckFoundComesFirst) {
    auto status = with({deployment("1", "booted")});
    status.available.emplace();
    status.available->version = "2";
    status.available->manifest_digest = "sha256:77";
    status.available->changelog_url = "https://example.org/2";
    const Known known = know(status);
    EXPECT_EQ(names(known), "2 1");
    ASSERT_TRUE(known.offer);
    EXPECT_EQ(known.offer->manifest_digest, "sha256:77");
    EXPECT_EQ(known.candidate(), "2");
    EXPECT_TRUE(known.find("2")->newest);
    EXPECT_TRUE(known.find("1")->newest) << "of what is installed";
    EXPECT_FALSE(known.find("1")->obsolete);
}

// There the name is the version: two images of one must not be taken for each other.
TEST(SysupdateVersions, ARebuildOfOneVersionHasANameOfItsOwn) {
    auto status = with({deployment("1", "kept", "bbbbbbbbbb"), deployment("1", "booted", "aaaa")});
    status.available.emplace();
    status.available->version = "1";
    status.available->manifest_digest = "sha256:cccccccccc";
    const Known known = know(status);
    EXPECT_EQ(names(known), "1+cccccccc 1+bbbbbbbb 1");
    EXPECT_EQ(known.candidate(), "1+cccccccc");
    EXPECT_EQ(known.installed, "1+bbbbbbbb");
}

TEST(SysupdateVersions, AnImageWithoutAVersionIsNamedByItsDigest) {
    EXPECT_EQ(names(know(with({deployment("", "booted", "0123456789abcdef")}))), "01234567");
    auto nameless = deployment("", "booted");
    nameless.manifest_digest.clear();
    EXPECT_EQ(names(know(with({nameless}))), "unknown");
}

TEST(SysupdateVersions, NamesAreOneShortLine) {
    const Known known = know(with({deployment("2\n\x1b[2J" + std::string(5000, 'x'), "booted")}));
    const std::string& name = known.versions.at(0).name;
    EXPECT_EQ(name.find_first_of("\n\x1b"), std::string::npos);
    EXPECT_LE(name.size(), 256U) << "or it could not be asked for";
    EXPECT_NE(known.find(name), nullptr);
}

TEST(SysupdateVersions, TheJsonHasEveryBoolean) {
    Version version;
    version.name = "a\"b\\";
    version.changelog_url = "https://example.org/";
    const auto object = boost::json::parse(describe(version)).as_object();
    EXPECT_EQ(object.at("version").as_string(), "a\"b\\");
    for (const char* name :
         {"newest", "available", "installed", "obsolete", "protected", "incomplete", "acquired"})
        EXPECT_FALSE(object.at(name).as_bool()) << name;
    EXPECT_EQ(object.at("changelogUrls").as_array().at(0).as_string(), "https://example.org/");
}

// updatectl 257 aborts when there is no entry, and when one has anything but scalars.
TEST(SysupdateVersions, TheJsonHasOneContent) {
    Version version;
    version.manifest_digest = "sha256:" + std::string(64, 'a');
    version.time = 1'700'000'000;
    const auto content = [&] {
        const auto object = boost::json::parse(describe(version)).as_object();
        return object.at("contents").as_array().at(0).as_object();
    };
    EXPECT_EQ(content().at("type").as_string(), "oci");
    EXPECT_EQ(content().at("path").as_string(), version.manifest_digest);
    EXPECT_EQ(content().at("mtime").to_number<std::uint64_t>(), 1'700'000'000'000'000U);
    version.time = 0;
    EXPECT_TRUE(content().at("mtime").is_null());
}

}  // namespace
}  // namespace cfs::sysupdate
