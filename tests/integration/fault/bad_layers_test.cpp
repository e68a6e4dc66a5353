// SPDX-License-Identifier: Apache-2.0
// Hostile and broken layers behind v2's own, sound UKI (bad_layers.py says what each is): every one
// has its named error, and the machine is as it was.
#include "base/error.hpp"
#include "crash/crash_site.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace cfs {
namespace {

using test::CrashSite;
using test::error_name;

constexpr std::uint64_t kMaxUnpacked = std::uint64_t{32} << 20;
constexpr std::uint64_t kMaxEntries = 2000;
constexpr std::uint64_t kMaxMetadata = std::uint64_t{2} << 20;

struct Bad {
    const char* tag;
    const char* error;
    const char* says;  ///< part of the message
};

std::ostream& operator<<(std::ostream& out, const Bad& row) {
    return out << row.tag;
}

std::string test_name(const testing::TestParamInfo<Bad>& row) {
    std::string name = row.param.tag;
    for (char& c : name) {
        if (c == '-') c = '_';
    }
    return name;
}

class BadLayer : public testing::TestWithParam<Bad> {};

TEST_P(BadLayer, LeavesTheOldSystemIdentical) {
    CrashSite machine(std::string(CFS_MACHINES) + "/installed");
    machine.guard();
    machine.site.settings.limits.layer_bytes = kMaxUnpacked;
    machine.site.settings.limits.layer_entries = kMaxEntries;
    machine.site.settings.limits.layer_metadata = kMaxMetadata;
    const std::string before = machine.site.snapshot();
    const std::string reference = std::string("oci:" CFS_BAD_IMAGES ":") + GetParam().tag;
    std::string text;
    const std::string error = error_name([&] { (void)machine.site.update_to(reference); }, &text);
    EXPECT_EQ(error, GetParam().error) << text;
    EXPECT_NE(text.find(GetParam().says), std::string::npos) << text;
    EXPECT_EQ(machine.site.snapshot(), before);
    EXPECT_EQ(machine.unsound(), "");
    EXPECT_EQ(machine.site.update("v2").outcome, update::UpdateOutcome::Finalized);
    EXPECT_EQ(machine.unsound(), "");
}

INSTANTIATE_TEST_SUITE_P(
    All,
    BadLayer,
    testing::Values(Bad{"dotdot", "BadFormat", "'..' component"},
                    Bad{"dotdot-first", "BadFormat", "'..' component"},
                    Bad{"dotdot-hard-link", "BadFormat", "'..' component"},
                    Bad{"absolute", "DigestMismatch", "tried:"},
                    Bad{"through-symlink", "BadFormat", "symbolic links are not followed"},
                    Bad{"through-old-symlink", "BadFormat", "symbolic links are not followed"},
                    Bad{"through-file", "BadFormat", "not a directory"},
                    Bad{"no-parent", "BadFormat", "is missing"},
                    Bad{"duplicate", "DigestMismatch", "tried:"},
                    Bad{"root-is-a-link", "BadFormat", "expected a directory"},
                    Bad{"etc-is-a-file", "DigestMismatch", "tried:"},
                    Bad{"long-name", "BadFormat", "at most 255"},
                    Bad{"long-path", "BadFormat", "less than 4095"},
                    Bad{"nul-in-name", "BadFormat", "NUL"},
                    Bad{"empty-name", "BadFormat", "expected a directory"},
                    Bad{"whiteout-of-nothing", "BadFormat", "names nothing"},
                    Bad{"deep", "BadFormat", "bytes of metadata"},
                    Bad{"hard-link-to-nothing", "BadFormat", "is missing"},
                    Bad{"hard-link-to-directory", "BadFormat", "is a directory"},
                    Bad{"hard-link-to-itself", "BadFormat", "is missing"},
                    Bad{"long-symlink", "BadFormat", "more than 4095"},
                    Bad{"empty-symlink", "BadFormat", "is empty"},
                    Bad{"sparse", "BadFormat", "sparse"},
                    Bad{"sparse-pax", "BadFormat", "sparse"},
                    Bad{"unknown-type", "BadFormat", "type 'Z'"},
                    Bad{"bad-checksum", "BadFormat", "checksum"},
                    Bad{"huge-size", "BadFormat", "limit of 33554432"},
                    Bad{"negative-size", "BadFormat", "negative"},
                    Bad{"size-of-letters", "BadFormat", "octal"},
                    Bad{"huge-pax-size", "BadFormat", "PAX size"},
                    Bad{"pax-without-length", "BadFormat", "wrong length"},
                    Bad{"pax-without-entry", "BadFormat", "without its entry"},
                    Bad{"huge-xattr", "BadFormat", "at most 65535"},
                    Bad{"long-xattr-name", "BadFormat", "1 to 255"},
                    Bad{"many-xattrs", "BadFormat", "more than 1 MiB"},
                    Bad{"nameless-xattr", "BadFormat", "1 to 255"},
                    Bad{"many-entries", "BadFormat", "limit of 2000"},
                    Bad{"much-metadata", "BadFormat", "more than 1 MiB"},
                    Bad{"cut-payload", "BadFormat", "ends inside an entry"},
                    Bad{"cut-header", "BadFormat", "ends inside an entry"},
                    Bad{"no-tar", "BadFormat", "checksum"},
                    Bad{"bomb-gzip", "BadFormat", "limit of 33554432"},
                    Bad{"bomb-zstd", "BadFormat", "limit of 33554432"},
                    Bad{"padding-gzip", "BadFormat", "unpacks to more than"},
                    Bad{"padding-zstd", "BadFormat", "unpacks to more than"},
                    Bad{"cut-gzip", "BadFormat", "ends in the middle"},
                    Bad{"wrong-crc-gzip", "BadFormat", "wrong checksum"},
                    Bad{"cut-zstd", "BadFormat", "ends in the middle"},
                    Bad{"plain-as-gzip", "BadFormat", "gzip header"},
                    Bad{"gzip-as-plain", "BadFormat", "checksum"},
                    Bad{"gzip-as-zstd", "BadFormat", "look like gzip"},
                    Bad{"after-the-end-gzip", "BadFormat", "after its end"},
                    Bad{"empty", "BadFormat", "input is empty"},
                    Bad{"harmless", "DigestMismatch", "usr/share/fine"},
                    Bad{"wrong-diff-id", "DigestMismatch", "the image's config says"},
                    Bad{"wrong-size", "DigestMismatch", "must have 535 bytes"},
                    Bad{"no-size", "DigestMismatch", "must have 0 bytes"},
                    Bad{"vast-size", "BadFormat", "more than 2^53"},
                    Bad{"larger-than-the-disk", "NoSpace", "needs at least 1125899"},
                    Bad{"negative-blob-size", "BadFormat", "negative"},
                    Bad{"wrong-media-type", "Unsupported", "text/html"},
                    Bad{"unknown-compression", "Unsupported", "tar+xz"},
                    Bad{"digest-that-climbs", "BadFormat", "is no digest"},
                    Bad{"weak-digest", "BadFormat", "is no digest"},
                    Bad{"manifest-is-html", "BadFormat", "HTML"},
                    Bad{"manifest-is-cut", "BadFormat", "incomplete JSON"},
                    Bad{"manifest-is-a-list", "BadFormat", "not a JSON object"},
                    Bad{"manifest-without-layers", "BadFormat", "0 layers"},
                    Bad{"manifest-nested", "BadFormat", "too deep"},
                    Bad{"one-diff-id-less", "BadFormat", "2 diff_ids"},
                    Bad{"index-for-another-architecture", "NotOurs", "riscv64"},
                    Bad{"index-for-another-system", "NotOurs", "plan9"}),
    test_name);

/// With the limits that a machine has when nobody sets any: the layer is stopped while it streams.
TEST(BadLayer, TenMillionEntriesAreMoreThanTheDefaultLimits) {
    CrashSite machine(std::string(CFS_MACHINES) + "/installed");
    machine.guard();
    const std::string before = machine.site.snapshot();
    std::string text;
    const auto update = [&] {
        (void)machine.site.update_to("oci:" CFS_BAD_IMAGES ":ten-million-entries");
    };
    EXPECT_EQ(error_name(update, &text), "BadFormat");
    EXPECT_NE(text.find("limit of 1073741824"), std::string::npos) << text;
    EXPECT_EQ(machine.site.snapshot(), before);
    EXPECT_EQ(machine.unsound(), "");
}

}  // namespace
}  // namespace cfs
