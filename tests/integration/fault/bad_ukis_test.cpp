// SPDX-License-Identifier: Apache-2.0
// v2 with another UKI (bad_ukis.py says what each is): malformed, signed by others, signed oddly.
// The error is named before any other layer is fetched, and the machine is as it was.
#include "base/error.hpp"
#include "crash/crash_site.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

namespace cfs {
namespace {

using test::CrashSite;
using test::error_name;
using test::Site;

struct Row {
    const char* tag;
    const char* error;
    const char* says;    ///< part of the message
    const char* anchor;  ///< trusted beside the vendor's certificate; "": nobody
};

std::ostream& operator<<(std::ostream& out, const Row& row) {
    return out << row.tag;
}

std::string row_name(const testing::TestParamInfo<Row>& row) {
    std::string name = row.param.tag;
    if (row.param.anchor[0] != '\0') name += std::string("-trusting-") + row.param.anchor;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

class UkiOfV2 : public testing::TestWithParam<Row> {
 protected:
    UkiOfV2() : machine_(std::string(CFS_MACHINES) + "/installed") {
        machine_.guard();
        const std::string anchor = GetParam().anchor;
        auto& trusted = machine_.site.settings.trust.certificates;
        if (!anchor.empty()) trusted.push_back(CFS_BAD_UKIS "/" + anchor + ".pem");
    }

    std::string update() {
        const std::string reference = std::string("oci:" CFS_BAD_UKIS ":") + GetParam().tag;
        return error_name([&] { (void)machine_.site.update_to(reference); }, &text_);
    }

    CrashSite machine_;
    std::string text_;
};

using BadUki = UkiOfV2;

TEST_P(BadUki, LeavesTheOldSystemIdentical) {
    const std::string before = machine_.site.snapshot();
    EXPECT_EQ(update(), GetParam().error) << text_;
    EXPECT_NE(text_.find(GetParam().says), std::string::npos) << text_;
    EXPECT_EQ(machine_.site.snapshot(), before);
    EXPECT_EQ(machine_.unsound(), "");
    EXPECT_EQ(machine_.site.update("v2").outcome, update::UpdateOutcome::Finalized);
    EXPECT_EQ(machine_.unsound(), "");
}

INSTANTIATE_TEST_SUITE_P(
    Malformed,
    BadUki,
    testing::Values(
        Row{"pe-empty", "BadFormat", "is no UKI file", ""},
        Row{"pe-cut-in-dos-header", "BadFormat", "is no UKI file", ""},
        Row{"pe-no-mz", "BadFormat", "does not start with 'MZ'", ""},
        Row{"pe-header-behind-end", "BadFormat", "ends inside the PE header", ""},
        Row{"pe-header-in-dos-header", "BadFormat", "overlaps the DOS header", ""},
        Row{"pe-header-unaligned", "BadFormat", "not aligned to 8", ""},
        Row{"pe-optional-header-too-small", "BadFormat", "240 are expected", ""},
        Row{"pe-optional-header-too-big", "BadFormat", "65535 bytes", ""},
        Row{"pe-pe32-on-64-bit", "BadFormat", "PE32 headers do not fit", ""},
        Row{"pe-no-certificate-directory", "BadFormat", "4 data directories", ""},
        Row{"pe-too-many-directories", "BadFormat", "536870912 data directories", ""},
        Row{"pe-headers-unhashed", "BadFormat", "leaves part of the section table", ""},
        Row{"pe-headers-behind-end", "BadFormat", "more than the file's size", ""},
        Row{"pe-no-sections", "BadFormat", "no sections", ""},
        Row{"pe-65535-sections", "BadFormat", "65535 sections", ""},
        Row{"pe-section-behind-end", "BadFormat", "beyond the end of the file", ""},
        Row{"pe-section-wraps", "BadFormat", "beyond the end of the file", ""},
        Row{"pe-section-in-headers", "BadFormat", "inside the headers", ""},
        Row{"pe-section-at-zero", "BadFormat", "inside the headers", ""},
        Row{"pe-sections-share-bytes", "BadFormat", "shares bytes", ""},
        Row{"pe-section-wraps-in-memory", "BadFormat", "beyond SizeOfImage", ""},
        Row{"pe-signature-in-a-section", "BadFormat", "lies inside the image", ""},
        Row{"pe-signature-without-size", "BadFormat", "half there", ""},
        Row{"pe-signature-behind-end", "BadFormat", "beyond the end of the file", ""},
        Row{"pe-signature-of-no-length", "BadFormat", "claims 0 bytes", ""},
        Row{"pe-signature-of-huge-length", "BadFormat", "claims 4294967295 bytes", ""},
        Row{"pe-data-behind-signature", "BadFormat", "follow the certificate table", ""},
        Row{"pe-cut-short", "BadFormat", "beyond the end of the file", ""},
        Row{"signed-nul-in-cmdline", "BadFormat", "NUL", ""},
        Row{"signed-no-utf8-in-cmdline", "BadFormat", "UTF-8", ""},
        Row{"signed-open-quote", "BadFormat", "names no composefs image", ""},
        Row{"signed-no-cmdline", "BadFormat", "names no composefs image", ""},
        Row{"signed-no-kernel", "BadFormat", "no kernel", ""},
        Row{"signed-no-os-release", "BadFormat", "no .osrel", ""},
        Row{"signed-other-machine", "NotOurs", "arm64", ""},
        Row{"signed-no-efi-application", "BadFormat", "subsystem", ""}),
    row_name);

INSTANTIATE_TEST_SUITE_P(
    Signed,
    BadUki,
    testing::Values(
        Row{"plain", "SignatureInvalid", "not signed", ""},
        Row{"by-other", "SignatureInvalid", "not among the 1 trusted", ""},
        Row{"by-other", "SignatureInvalid", "not among the 2 trusted", "ca"},
        Row{"by-ec", "SignatureInvalid", "EC keys are refused by firmware", "ec"},
        Row{"by-leaf-of-ec", "SignatureInvalid", "EC keys are refused by firmware", "ec"},
        Row{"by-rsa1024", "SignatureInvalid", "at least RSA 2048", "rsa1024"},
        Row{"by-leaf-code", "SignatureInvalid", "not among the 2 trusted", "other"},
        Row{"by-leaf-sha1", "SignatureInvalid", "itself signed with SHA-1", "ca"},
        Row{"by-db-over-sha1", "SignatureInvalid", "signed with SHA-1", "db"},
        Row{"by-db-over-md5", "SignatureInvalid", "signed with MD5", "db"},
        Row{"crafted-no-attributes", "SignatureInvalid", "no signed attributes", "db"},
        Row{"crafted-no-digest", "SignatureInvalid", "no message digest", "db"},
        Row{"crafted-other-type", "SignatureInvalid", "content's type", "db"},
        Row{"crafted-two-signers", "SignatureInvalid", "2 signers", "db"},
        Row{"crafted-no-signer", "SignatureInvalid", "0 signers", "db"},
        Row{"crafted-no-certificate", "SignatureInvalid", "not inside", "db"},
        Row{"crafted-two-hashes", "SignatureInvalid", "2 digest algorithms", "db"},
        Row{"crafted-not-pe", "SignatureInvalid", "something else than a PE image", "db"},
        Row{"crafted-data-behind-digest", "SignatureInvalid", "malformed", "db"}),
    row_name);

/// What firmware boots (spec: its table of chains), so that the rows above fail for one reason
/// only.
using GoodUki = UkiOfV2;

TEST_P(GoodUki, IsInstalled) {
    EXPECT_EQ(update(), "no error") << text_;
    EXPECT_EQ(machine_.site.engine().status().staged->version, "2");
    EXPECT_EQ(machine_.unsound(), "");
}

INSTANTIATE_TEST_SUITE_P(Signed,
                         GoodUki,
                         testing::Values(Row{"signed-end-of-arguments", "", "", ""},
                                         Row{"by-other", "", "", "other"},
                                         Row{"by-leaf-code", "", "", "ca"},
                                         Row{"by-leaf-code", "", "", "leaf-code"},
                                         Row{"by-leaf-server", "", "", "ca"},
                                         Row{"by-leaf-expired", "", "", "ca"},
                                         Row{"by-leaf-sha1", "", "", "leaf-sha1"},
                                         Row{"crafted-sound", "", "", "db"}),
                         row_name);

}  // namespace
}  // namespace cfs
