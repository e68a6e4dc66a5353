// SPDX-License-Identifier: Apache-2.0
// Whole updates from a registry that misbehaves: a named error and a machine that is as it was, or
// an update that went well after all.
#include "base/error.hpp"
#include "crash/crash_site.hpp"
#include "net/image_source.hpp"
#include "support/test_registry.hpp"
#include "update/source.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace cfs {
namespace {

using test::CrashSite;
using test::error_name;
using test::Fault;
using test::TestRegistry;

constexpr const char* kName = "team/os";

/// Blobs of v2 that an installed v1 lacks: its own layer and its UKI's.
struct Blobs {
    net::Descriptor app, uki, config;
};

net::Resolved resolved(const std::string& tag) {
    const auto source = net::open_source(net::parse_image_ref(test::Site::image(tag)), {});
    return source->resolve(net::host_platform(), {});
}

Blobs blobs_of_v2() {
    const net::Manifest manifest = resolved("v2").manifest;
    return {manifest.layers.at(1), manifest.layers.at(2), manifest.config};
}

class Registry : public testing::Test {
 protected:
    Registry() {
        registry_.serve_layout(test::Site::fixture("images"), kName);
        machine_.guard();
        machine_.site.settings.net.attempts = 1;
        machine_.site.settings.net.stall_timeout = std::chrono::seconds(1);
        before_ = machine_.site.snapshot();
    }

    std::string update(const std::string& tag = "v2") {
        return error_name([&] { (void)machine_.site.update_to(registry_.reference(kName, tag)); },
                          &text_);
    }

    /// The old system is untouched, and a registry in order is all that the next run needs.
    void expect_untouched_and_recovery() {
        EXPECT_EQ(machine_.site.snapshot(), before_);
        EXPECT_EQ(machine_.unsound(), "");
        registry_.clear_faults();
        EXPECT_EQ(update(), "no error") << text_;
        EXPECT_EQ(machine_.unsound(), "");
    }

    TestRegistry registry_;
    Blobs blobs_ = blobs_of_v2();
    CrashSite machine_{CFS_MACHINES "/installed"};
    std::string before_;
    std::string text_;  ///< of the last error
};

/// What a job leaves of a big layer when it ends early, another process finds.
class BigLayer : public Registry {
 protected:
    /// An update whose connection breaks after so many bytes of the big layer.
    void cut(std::uint64_t after) {
        registry_.add_fault({.path = to_oci(big_.digest), .times = 1, .close_after = after});
        EXPECT_EQ(update("v2-big"), "Network") << text_;
        registry_.clear_faults();
        EXPECT_EQ(machine_.site.snapshot(), before_);
        EXPECT_EQ(machine_.unsound(), "");
    }

    [[nodiscard]] std::uint64_t kept() const {
        return net::kept_size(update::keep_options(machine_.site.settings), big_);
    }

    net::Descriptor big_ = resolved("v2-big").manifest.layers.at(1);
};

TEST_F(BigLayer, OnlyTheRestIsFetchedAfterACut) {
    cut(5'000'000);
    EXPECT_EQ(kept(), 5'000'000U);
    const auto found = machine_.site.engine().check(
        registry_.reference(kName, "v2-big"), machine_.site.progress, {});
    EXPECT_EQ(found.available.download_bytes, big_.size - 5'000'000) << "the gate has the UKI";
    cut(4'000'000);
    EXPECT_EQ(kept(), 9'000'000U);
    const std::uint64_t before = registry_.body_bytes_sent();
    EXPECT_EQ(update("v2-big"), "no error") << text_;
    EXPECT_LT(registry_.body_bytes_sent() - before, big_.size - 9'000'000 + 100'000);
    EXPECT_EQ(kept(), 0U);
    EXPECT_EQ(machine_.unsound(), "");
}

TEST_F(BigLayer, AnotherImageThrowsTheRestAway) {
    cut(5'000'000);
    EXPECT_EQ(update("v3"), "no error") << text_;
    EXPECT_EQ(kept(), 0U);
}

TEST_F(BigLayer, ACollectionThrowsTheRestAway) {
    cut(5'000'000);
    (void)machine_.site.engine().collect(false, machine_.site.progress, {});
    EXPECT_EQ(kept(), 0U);
}

TEST_F(BigLayer, NothingIsKeptWhereTheSettingsSaySo) {
    machine_.site.settings.net.keep_partial = 0;
    cut(5'000'000);
    EXPECT_EQ(kept(), 0U);
}

/// A place in a blob, in twentieths of its size.
struct Place {
    bool uki;
    unsigned twentieth;
};

std::ostream& operator<<(std::ostream& out, const Place& place) {
    return out << (place.uki ? "uki" : "app") << "_" << place.twentieth << "_of_20";
}

std::vector<Place> places() {
    std::vector<Place> out;
    for (unsigned i = 0; i < 20; ++i)
        out.push_back({i % 3 != 0, i});
    return out;
}

std::string place_name(const testing::TestParamInfo<Place>& row) {
    return testing::PrintToString(row.param);
}

class Cut : public Registry, public testing::WithParamInterface<Place> {
 protected:
    [[nodiscard]] Fault cut() const {
        const auto& blob = GetParam().uki ? blobs_.uki : blobs_.app;
        return {.path = to_oci(blob.digest),
                .times = 1,
                .close_after = blob.size * GetParam().twentieth / 20};
    }
};

TEST_P(Cut, ForGoodIsNetworkAndLeavesTheOldSystemIdentical) {
    registry_.add_fault(cut());
    registry_.add_fault({.path = cut().path, .close_after = 0});
    EXPECT_EQ(update(), "Network") << text_;
    expect_untouched_and_recovery();
}

INSTANTIATE_TEST_SUITE_P(At, Cut, testing::ValuesIn(places()), place_name);

class CutOnce : public Cut {};

TEST_P(CutOnce, IsContinued) {
    machine_.site.settings.net.attempts = 2;
    registry_.add_fault(cut());
    EXPECT_EQ(update(), "no error") << text_;
    EXPECT_EQ(machine_.unsound(), "");
}

INSTANTIATE_TEST_SUITE_P(At,
                         CutOnce,
                         testing::Values(Place{true, 0}, Place{true, 10}, Place{false, 15}),
                         place_name);

struct Row {
    const char* name;
    const char* error;
    const char* says;
    Fault (*fault)(const Blobs& blobs);
};

std::ostream& operator<<(std::ostream& out, const Row& row) {
    return out << row.name;
}

class Misbehaving : public Registry, public testing::WithParamInterface<Row> {};

TEST_P(Misbehaving, LeavesTheOldSystemIdentical) {
    registry_.add_fault(GetParam().fault(blobs_));
    EXPECT_EQ(update(), GetParam().error) << text_;
    EXPECT_NE(text_.find(GetParam().says), std::string::npos) << text_;
    expect_untouched_and_recovery();
}

constexpr const char* kHtml = "<html><body>please log in</body></html>";

Fault manifest(Fault fault) {
    fault.path = "/manifests/";
    return fault;
}

Fault app(const Blobs& blobs, Fault fault) {
    fault.path = to_oci(blobs.app.digest);
    return fault;
}

Fault uki(const Blobs& blobs, Fault fault) {
    fault.path = to_oci(blobs.uki.digest);
    return fault;
}

Fault config(const Blobs& blobs, Fault fault) {
    fault.path = to_oci(blobs.config.digest);
    return fault;
}

INSTANTIATE_TEST_SUITE_P(
    Registry,
    Misbehaving,
    testing::Values(
        Row{"ManifestIs500",
            "Network",
            "500",
            [](const Blobs&) { return manifest({.status = 500}); }},
        Row{"ManifestIs404",
            "NotFound",
            "404",
            [](const Blobs&) { return manifest({.status = 404}); }},
        Row{"ManifestIs401",
            "AuthRequired",
            "401",
            [](const Blobs&) { return manifest({.status = 401}); }},
        Row{"ManifestIsHtml",
            "BadFormat",
            "text/html",
            [](const Blobs&) {
                return manifest({.status = 200, .content_type = "text/html", .body = kHtml});
            }},
        Row{"ManifestIsHtmlThatSaysJson",
            "DigestMismatch",
            "the manifest's digest",
            [](const Blobs&) { return manifest({.body = kHtml}); }},
        Row{"ManifestOfAnotherType",
            "Unsupported",
            "example",
            [](const Blobs&) { return manifest({.content_type = "application/vnd.example.v7"}); }},
        Row{"ManifestIsCut",
            "Network",
            "",
            [](const Blobs&) { return manifest({.close_after = 300}); }},
        Row{"ManifestIsAltered",
            "DigestMismatch",
            "digest",
            [](const Blobs&) { return manifest({.flip_byte = 40}); }},
        Row{"ConfigIs404",
            "NotFound",
            "404",
            [](const Blobs& b) { return config(b, {.status = 404}); }},
        Row{"ConfigIsAltered",
            "DigestMismatch",
            "other bytes",
            [](const Blobs& b) { return config(b, {.flip_byte = 40}); }},
        Row{"ConfigIsCut",
            "Network",
            "",
            [](const Blobs& b) { return config(b, {.close_after = 100}); }},
        Row{"LayerIs500", "Network", "500", [](const Blobs& b) { return app(b, {.status = 500}); }},
        Row{"LayerIs404",
            "NotFound",
            "404",
            [](const Blobs& b) { return app(b, {.status = 404}); }},
        Row{"LayerIs403",
            "AuthRequired",
            "403",
            [](const Blobs& b) { return app(b, {.status = 403}); }},
        Row{"LayerIsHtml",
            "Network",
            "web page",
            [](const Blobs& b) { return app(b, {.content_type = "text/html", .body = kHtml}); }},
        Row{"LayerIsShorter",
            "DigestMismatch",
            "must have",
            [](const Blobs& b) { return app(b, {.declared_length = b.app.size - 1}); }},
        Row{"LayerIsLonger",
            "DigestMismatch",
            "must have",
            [](const Blobs& b) { return app(b, {.declared_length = b.app.size + 1}); }},
        Row{"LayerIsAltered",
            "DigestMismatch",
            "other bytes",
            [](const Blobs& b) { return app(b, {.flip_byte = b.app.size / 2}); }},
        Row{"LayerIsAlteredInItsLastByte",
            "DigestMismatch",
            "other bytes",
            [](const Blobs& b) { return app(b, {.flip_byte = b.app.size - 1}); }},
        Row{"LayerStalls",
            "Network",
            "",
            [](const Blobs& b) { return app(b, {.stall_after = 10}); }},
        Row{"LayerRedirectsForEver",
            "Network",
            "redirect",
            [](const Blobs&) {
                return Fault{.path = "/blobs/", .status = 307, .location = "/v2/blobs/loop"};
            }},
        Row{"LayerRedirectsToAFile",
            "Network",
            "no http or https",
            [](const Blobs& b) {
                return app(b, {.status = 307, .location = "file:///etc/passwd"});
            }},
        Row{"LayerIsAnotherBlob",
            "DigestMismatch",
            "",
            [](const Blobs& b) { return app(b, {.body = std::string(b.app.size, 'x')}); }},
        Row{"UkiIsAltered",
            "DigestMismatch",
            "other bytes",
            [](const Blobs& b) { return uki(b, {.flip_byte = b.uki.size / 2}); }},
        Row{"UkiIs404", "NotFound", "404", [](const Blobs& b) { return uki(b, {.status = 404}); }}),
    [](const auto& row) { return row.param.name; });

TEST_F(Registry, AnUnknownTagIsNotFound) {
    EXPECT_EQ(update("v9"), "NotFound") << text_;
    expect_untouched_and_recovery();
}

TEST_F(Registry, ARegistryThatIsGoneIsNetwork) {
    std::string gone;
    {
        const TestRegistry other;
        gone = other.reference(kName, "v2");
    }
    EXPECT_EQ(error_name([&] { (void)machine_.site.update_to(gone); }, &text_), "Network");
    expect_untouched_and_recovery();
}

TEST_F(Registry, AnUnknownCertificateAuthorityIsNetwork) {
    const auto files = test::make_certificate(machine_.site.dir, "registry");
    TestRegistry secure(files);
    secure.serve_layout(test::Site::fixture("images"), kName);
    const auto other = test::make_certificate(machine_.site.dir, "other");
    machine_.site.settings.net.ca_file = other.certificate;
    const std::string reference = secure.reference(kName, "v2");
    EXPECT_EQ(error_name([&] { (void)machine_.site.update_to(reference); }, &text_), "Network");
    EXPECT_NE(text_.find("certificate"), std::string::npos) << text_;
    EXPECT_EQ(machine_.site.snapshot(), before_);
    EXPECT_EQ(machine_.unsound(), "");
}

TEST_F(Registry, AGivenCertificateAuthorityIsTrusted) {
    const auto files = test::make_certificate(machine_.site.dir, "registry");
    TestRegistry secure(files);
    secure.serve_layout(test::Site::fixture("images"), kName);
    machine_.site.settings.net.ca_file = files.certificate;
    const std::string reference = secure.reference(kName, "v2");
    EXPECT_EQ(error_name([&] { (void)machine_.site.update_to(reference); }, &text_), "no error")
        << text_;
    EXPECT_EQ(machine_.unsound(), "");
}

TEST_F(Registry, AWrongImageCostsOneLayer) {
    EXPECT_EQ(update("other"), "NotOurs") << text_;
    for (const auto& request : registry_.requests()) {
        const bool is_app = request.target.find(to_oci(blobs_.app.digest)) != std::string::npos;
        EXPECT_FALSE(is_app) << request.target;
    }
    EXPECT_LT(registry_.body_bytes_sent(), blobs_.uki.size + 10000);
    EXPECT_EQ(machine_.site.snapshot(), before_);
}

}  // namespace
}  // namespace cfs
