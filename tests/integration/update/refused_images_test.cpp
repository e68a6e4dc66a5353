// SPDX-License-Identifier: Apache-2.0
// Images that must be refused, each with its own named error, and a machine that is as it was.
#include "base/error.hpp"
#include "site.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <ostream>

namespace cfs {
namespace {

using test::error_name;
using test::Site;

struct Refused {
    const char* tag;
    const char* error;
    const char* says;  ///< part of the message
};

std::ostream& operator<<(std::ostream& out, const Refused& row) {
    return out << row.tag;
}

class RefusedImage : public testing::TestWithParam<Refused> {};

TEST_P(RefusedImage, LeavesTheOldSystemIdentical) {
    Site site;
    site.install();
    const std::string before = site.snapshot();
    std::string text;
    EXPECT_EQ(error_name([&] { (void)site.update(GetParam().tag); }, &text), GetParam().error)
        << text;
    EXPECT_NE(text.find(GetParam().says), std::string::npos) << text;
    EXPECT_EQ(site.snapshot(), before);
    EXPECT_EQ(site.engine().status().booted->version, "1");
}

INSTANTIATE_TEST_SUITE_P(Images,
                         RefusedImage,
                         testing::Values(Refused{"unsealed", "BadFormat", "no UKI"},
                                         Refused{"two-layers", "BadFormat", "2 layers annotated"},
                                         Refused{"two-ukis", "BadFormat", "several UKIs"},
                                         Refused{"outside", "BadFormat", "not below /boot"},
                                         Refused{"wrong-key", "SignatureInvalid", "not among"},
                                         Refused{"flip-uki", "SignatureInvalid", "changed after"},
                                         Refused{"flip-signature", "SignatureInvalid", "broken"},
                                         Refused{"other-uki", "DigestMismatch", "tried:"},
                                         Refused{"other", "NotOurs", "another"},
                                         Refused{"v2-none", "NotFound", "v2-none"}),
                         [](const auto& row) {
                             std::string name = row.param.tag;
                             for (char& c : name) {
                                 if (c == '-') c = '_';
                             }
                             return name;
                         });

/// Flips one byte in the middle of a blob of the site's own copy of the images.
void flip_blob(const Site& site, const std::string& fixture) {
    const auto wanted = std::filesystem::file_size(Site::fixture(fixture));
    for (const auto& entry :
         std::filesystem::directory_iterator(site.dir / "images/blobs/sha256")) {
        if (entry.file_size() != wanted) continue;
        std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(static_cast<std::streamoff>(wanted / 2));
        const auto byte = static_cast<char>(file.get() ^ 1);
        file.seekp(static_cast<std::streamoff>(wanted / 2));
        file.put(byte);
        return;
    }
    FAIL() << "no blob of that size";
}

TEST(RefusedImage, OneByteFlippedInALayerBlob) {
    Site site;
    site.install();
    const std::string reference = site.own_image("v2");
    flip_blob(site, "layers/app2.tar.zst");
    const std::string before = site.snapshot();
    EXPECT_EQ(error_name([&] { (void)site.update_to(reference); }), "DigestMismatch");
    EXPECT_EQ(site.snapshot(), before);
}

TEST(RefusedImage, ALayerThatIsMissing) {
    Site site;
    site.install();
    const std::string reference = site.own_image("v2");
    const auto wanted = std::filesystem::file_size(Site::fixture("layers/app2.tar.zst"));
    for (const auto& entry :
         std::filesystem::directory_iterator(site.dir / "images/blobs/sha256")) {
        if (entry.file_size() == wanted) std::filesystem::remove(entry.path());
    }
    const std::string before = site.snapshot();
    EXPECT_EQ(error_name([&] { (void)site.update_to(reference); }), "NotFound");
    EXPECT_EQ(site.snapshot(), before);
}

TEST(RefusedImage, NoTrustedCertificate) {
    Site site;
    site.install();
    site.settings.trust.certificates.clear();
    const auto engine = update::make_engine(site.settings);
    const std::string before = site.snapshot();
    update::UpdateOptions options;
    options.image = Site::image("v2");
    EXPECT_EQ(error_name([&] { (void)engine->update(options, site.progress, {}); }),
              "SignatureInvalid");
    EXPECT_EQ(site.snapshot(), before);
}

TEST(RefusedImage, SealedMachinesRefuseOptionalVerity) {
    Site site;
    site.install();
    site.settings.trust.mode = settings::TrustMode::Sealed;
    const auto engine = update::make_engine(site.settings);
    update::UpdateOptions options;
    options.image = Site::image("v2");
    EXPECT_EQ(error_name([&] { (void)engine->update(options, site.progress, {}); }), "NotOurs");
}

TEST(RefusedImage, ALocalFileInTheVendorsWayWhereSomebodyIsToDecide) {
    Site site;
    site.settings.etc.on_conflict = settings::OnConflict::Stop;
    site.install();
    site.dir.write(
        "sysroot/state/deploy/" + site.engine().status().booted->digest + "/etc/local.conf",
        "mine");
    const std::string before = site.snapshot();
    std::string text;
    EXPECT_EQ(error_name([&] { (void)site.update("v2-conflict"); }, &text), "MergeConflict");
    EXPECT_NE(text.find("local.conf"), std::string::npos) << text;
    EXPECT_EQ(site.snapshot(), before);
}

}  // namespace
}  // namespace cfs
