// SPDX-License-Identifier: Apache-2.0
// What changed between staging and arming: everything is looked at again, and a failure leaves the
// old system, a kept slot's own /etc included.
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "site.hpp"
#include "update/machine.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace cfs {
namespace {

namespace fs = std::filesystem;
using test::error_name;
using test::Site;

class Stage : public testing::Test {
 protected:
    void SetUp() override {
        site_.install();
        before_ = site_.snapshot();
        EXPECT_EQ(site_.update_to(Site::image("v2"), false).outcome, update::UpdateOutcome::Staged);
    }

    std::string finalize() {
        return error_name([&] { (void)site_.engine().finalize(site_.progress, {}); }, &text_);
    }

    /// But for what nobody refers to any more.
    void expect_untouched() {
        (void)site_.engine().collect(false, site_.progress, {});
        EXPECT_EQ(site_.snapshot(), before_);
    }

    std::string staged_path() {
        const std::string file = site_.engine().status().staged->uki;
        return site_.dir / ("esp/EFI/Linux/" + file);
    }

    Site site_;
    std::string before_, text_;
};

TEST_F(Stage, WithAFlippedByteIsNotArmed) {
    const std::string path = staged_path();
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(5000);
    file.put('!');
    file.close();
    EXPECT_EQ(finalize(), "DigestMismatch") << text_;
    expect_untouched();
}

TEST_F(Stage, ThatIsHeldMeanwhileIsNotArmed) {
    const auto staged = *site_.engine().status().staged;
    const UniqueFd root = open_root(site_.settings.sysroot);
    update::StateDir(root.get(), false).hold(*Digest::from_hex(staged.digest), "rolled-back");
    EXPECT_EQ(finalize(), "DowngradeRejected") << text_;
    EXPECT_NE(text_.find("is held (rolled-back)"), std::string::npos) << text_;
    expect_untouched();
}

TEST_F(Stage, ThatWouldNotBeBootedAnyMoreIsNotArmed) {
    fs::create_directories(site_.dir / "esp/loader");
    site_.dir.write("esp/loader/loader.conf", "default fixture_1-*\n");
    EXPECT_EQ(finalize(), "DowngradeRejected") << text_;
    EXPECT_NE(text_.find("would start"), std::string::npos) << text_;
}

TEST_F(Stage, WithoutItsVarIsNotArmed) {
    fs::remove(site_.settings.sysroot + "/state/deploy/" + site_.engine().status().staged->digest +
               "/var");
    EXPECT_EQ(finalize(), "StateCorrupt") << text_;
}

TEST_F(Stage, WhoseSignerIsNotTrustedAnyMoreIsNotArmed) {
    site_.settings.trust.certificates = {Site::fixture("keys/other.crt")};
    const auto engine = update::make_engine(site_.settings);
    EXPECT_EQ(error_name([&] { (void)engine->finalize(site_.progress, {}); }), "SignatureInvalid");
    expect_untouched();
}

}  // namespace
}  // namespace cfs
