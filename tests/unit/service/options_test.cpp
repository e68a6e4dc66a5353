// SPDX-License-Identifier: Apache-2.0
#include "service/options.hpp"

#include "base/error.hpp"
#include "service/actions.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>

namespace cfs::service {
namespace {

bus::VariantMap text(const std::string& name, const std::string& value) {
    return {{name, sdbus::Variant{value}}};
}

std::string refusal(JobKind kind, const bus::VariantMap& options, std::string* hint = nullptr) {
    try {
        (void)read_request(kind, options, true);
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::InvalidArgs);
        if (hint != nullptr) *hint = e.hint();
        return e.what();
    }
    return "accepted";
}

TEST(Options, EveryDocumentedOneIsRead) {
    bus::VariantMap options = text("image", "oci:/x:y");
    options["finalize"] = sdbus::Variant{false};
    options["expected-digest"] = sdbus::Variant{std::string("sha256:ab")};
    const JobRequest request = read_request(JobKind::Update, options, true);
    EXPECT_EQ(request, (JobRequest{JobKind::Update, "oci:/x:y", false, "sha256:ab", false}));
    EXPECT_TRUE(read_request(JobKind::Collect, {{"dry-run", sdbus::Variant{true}}}, true).dry_run);
    EXPECT_EQ(read_request(JobKind::Check, text("image", "x"), true).image, "x");
}

TEST(Options, OfVerifyAndRepairAreRead) {
    bus::VariantMap options = text("deployment", "booted");
    options["rate"] = sdbus::Variant{std::uint64_t{0}};
    const JobRequest repair = read_request(JobKind::Repair, options, true);
    EXPECT_EQ(repair.deployment, "booted");
    EXPECT_EQ(repair.rate, std::optional<std::uint64_t>(0));
    options["full"] = sdbus::Variant{true};
    EXPECT_TRUE(read_request(JobKind::Verify, options, true).full);
    EXPECT_EQ(refusal(JobKind::Repair, options), "option 'full' is not known to Repair");
    const JobRequest plain = read_request(JobKind::Verify, {}, true);
    EXPECT_FALSE(plain.full);
    EXPECT_EQ(plain.rate, std::nullopt);
    EXPECT_EQ(refusal(JobKind::Verify, {{"rate", sdbus::Variant{std::int32_t{5}}}}),
              "option 'rate' must be a number (t), found type 'i'");
}

TEST(Options, OfEtcAreRead) {
    bus::VariantMap options = text("path", "ssh");
    EXPECT_EQ(read_request(JobKind::RestoreEtc, options, true).path, "ssh");
    options["deployment"] = sdbus::Variant{std::string("staged")};
    EXPECT_EQ(read_request(JobKind::PreviewEtc, options, true).deployment, "staged");
    EXPECT_EQ(refusal(JobKind::RestoreEtc, options),
              "option 'deployment' is not known to RestoreEtc");
    const UniqueFd reader(::memfd_create("r", MFD_CLOEXEC));
    const UniqueFd read_only(
        ::open(("/proc/self/fd/" + std::to_string(reader.get())).c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(
        refusal(JobKind::PreviewEtc, {{"content", sdbus::Variant{sdbus::UnixFd{read_only.get()}}}}),
        "option 'content' must be a regular file or memfd open for writing");
    EXPECT_NE(
        read_request(
            JobKind::PreviewEtc, {{"content", sdbus::Variant{sdbus::UnixFd{reader.get()}}}}, true)
            .content,
        nullptr);
}

TEST(Options, FinalizeDefaultsToTheSetting) {
    EXPECT_FALSE(read_request(JobKind::Update, {}, false).finalize);
    EXPECT_TRUE(read_request(JobKind::Update, {}, true).finalize);
}

TEST(Options, ALockLeavesItStaged) {
    const auto locked = read_request(JobKind::Update, {{"lock", sdbus::Variant{true}}}, true);
    EXPECT_TRUE(locked.lock);
    EXPECT_FALSE(locked.finalize);
    EXPECT_EQ(refusal(JobKind::Update,
                      {{"lock", sdbus::Variant{true}}, {"finalize", sdbus::Variant{true}}}),
              "the options 'lock' and 'finalize' contradict each other");
}

TEST(Options, AStageIsNeverFinalizedAndASwitchMayGoDownAnyway) {
    EXPECT_FALSE(read_request(JobKind::Stage, {}, true).finalize);
    EXPECT_EQ(refusal(JobKind::Stage, {{"finalize", sdbus::Variant{true}}}),
              "option 'finalize' is not known to Stage");
    EXPECT_EQ(refusal(JobKind::Switch, {{"downgrade", sdbus::Variant{true}}}),
              "option 'downgrade' is not known to Switch");
    const JobRequest request = read_request(JobKind::Switch, text("image", "oci:/x"), true);
    EXPECT_EQ(request.image, "oci:/x");
    EXPECT_TRUE(request.finalize);
    EXPECT_TRUE(
        read_request(JobKind::Update, {{"downgrade", sdbus::Variant{true}}}, true).downgrade);
}

TEST(Options, RootSpeaksForAUser) {
    const auto user = [](std::uint64_t id) {
        return bus::VariantMap{{"user", sdbus::Variant{id}}};
    };
    EXPECT_FALSE(read_request(JobKind::Update, {}, true).user);
    EXPECT_EQ(read_request(JobKind::Update, user(1000), true).user, 1000U);
    EXPECT_EQ(read_request(JobKind::Stage, user(0), true).user, 0U);
    EXPECT_EQ(refusal(JobKind::Update, user(0xffffffff)),
              "option 'user' is no user id: 4294967295");
    EXPECT_EQ(refusal(JobKind::Update, user(std::uint64_t{1} << 32)),
              "option 'user' is no user id: 4294967296");
    EXPECT_EQ(refusal(JobKind::Switch, user(1)), "option 'user' is not known to Switch");
    EXPECT_NE(for_root_only(read_request(JobKind::Update, user(1), true)), "");
}

TEST(Options, AnUnknownOneIsNamedTogetherWithTheKnown) {
    std::string hint;
    EXPECT_EQ(refusal(JobKind::Update, text("finalise", "no"), &hint),
              "option 'finalise' is not known to Update");
    EXPECT_EQ(hint,
              "Update takes the options automatic, downgrade, expected-digest, finalize, "
              "ignore-inhibitors, image, "
              "lock, user.");
    EXPECT_EQ(refusal(JobKind::Rollback, text("image", "x"), &hint),
              "option 'image' is not known to Rollback");
    EXPECT_EQ(hint, "Rollback takes no options.");
}

TEST(Options, AWrongTypeIsNamed) {
    EXPECT_EQ(refusal(JobKind::Check, {{"image", sdbus::Variant{true}}}),
              "option 'image' must be a string (s), found type 'b'");
    EXPECT_EQ(refusal(JobKind::Update, text("finalize", "yes")),
              "option 'finalize' must be a boolean (b), found type 's'");
}

TEST(Options, TextHasALimit) {
    EXPECT_EQ(refusal(JobKind::Check, text("image", std::string(kMaxOption, 'x'))), "accepted");
    EXPECT_EQ(refusal(JobKind::Check, text("image", std::string(kMaxOption + 1, 'x'))),
              "option 'image' is longer than 4096 bytes");
}

TEST(Options, ALongUnknownNameIsCut) {
    EXPECT_LT(refusal(JobKind::Check, text(std::string(1 << 20, 'x'), "")).size(), 200U);
}

}  // namespace
}  // namespace cfs::service
