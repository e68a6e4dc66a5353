// SPDX-License-Identifier: Apache-2.0
#include "archive/outer_archive.hpp"

#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "crypto/hasher.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>

#include <array>
#include <cstdio>

namespace cfs::archive {
namespace {

using test::expect_error;
using test::TempDir;

constexpr std::size_t kBlock = 512;

/// One ustar entry (POSIX.1-2001): header and padded content.
std::string entry(const std::string& name,
                  const std::string& content,
                  char type = '0',
                  const std::string& target = "") {
    std::string header(kBlock, '\0');
    const auto put = [&](std::size_t at, const std::string& text) {
        header.replace(at, text.size(), text);
    };
    std::array<char, 12> size{};
    std::snprintf(size.data(), size.size(), "%011zo", content.size());
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, size.data());
    put(136, "00000000000");
    put(148, "        ");
    header[156] = type;
    put(157, target);
    put(257,
        std::string("ustar\0"
                    "00",
                    8));
    unsigned sum = 0;
    for (const char c : header)
        sum += static_cast<unsigned char>(c);
    std::array<char, 8> checksum{};
    std::snprintf(checksum.data(), checksum.size(), "%06o", sum);
    put(148, checksum.data());
    std::string body = content;
    body.resize((content.size() + kBlock - 1) / kBlock * kBlock, '\0');
    return header + body;
}

const std::string kEnd(2 * kBlock, '\0');
const std::string kIndex = entry("index.json", "{}");

std::string blob_name(std::string_view content) {
    return "blobs/sha256/" + hash(HashAlgorithm::Sha256, as_bytes(content)).hex();
}

class OuterArchive : public testing::Test {
 protected:
    OuterArchiveReport unpack(const std::string& archive) {
        input_.write("archive", archive);
        const UniqueFd fd = open_at(input_.fd(), "archive", O_RDONLY);
        return unpack_oci_archive(fd.get(), output_.fd(), limits_, stop_.get_token());
    }

    void refused(const std::string& archive, std::string_view message) {
        expect_error(ErrorCode::BadFormat, message, [&] { (void)unpack(archive); });
    }

    TempDir input_;
    TempDir output_;
    OuterArchiveLimits limits_;
    std::stop_source stop_;
};

class GnuTarArchive : public testing::TestWithParam<std::string> {};

TEST_P(GnuTarArchive, IsUnpacked) {
    const UniqueFd data = open_root(CFS_TEST_DATA "/archive");
    const UniqueFd archive = open_at(data.get(), "layout." + GetParam(), O_RDONLY);
    const TempDir out;
    const auto report = unpack_oci_archive(archive.get(), out.fd(), {}, {});
    EXPECT_EQ(out.read(blob_name("content")), "content");
    EXPECT_EQ(out.read("oci-layout"), R"({"imageLayoutVersion":"1.0.0"})");
    EXPECT_EQ(report.files, 3U);
    EXPECT_EQ(report.bytes, 7U + 34U + 30U);
    EXPECT_FALSE(stat_at(out.fd(), "manifest.json"));
}

INSTANTIATE_TEST_SUITE_P(All,
                         GnuTarArchive,
                         testing::Values("tar.gz", "tar.zst"),
                         [](const auto& one) { return one.param.substr(4); });

TEST_F(OuterArchive, PlainTarIsUnpackedWithPrivateModes) {
    const auto report = unpack(entry("./blobs/", "", '5') + kIndex +
                               entry("blobs//sha256/./" + blob_name("x").substr(13), "x") +
                               entry("repositories", "read over") + kEnd);
    EXPECT_EQ(report.files, 2U);
    EXPECT_EQ(report.skipped, 1U);
    EXPECT_EQ(output_.read(blob_name("x")), "x");
    EXPECT_EQ(stat_at(output_.fd(), "index.json")->st_mode & 07777, 0600U);
    EXPECT_EQ(stat_at(output_.fd(), "blobs")->st_mode & 07777, 0700U);
    EXPECT_EQ(list_dir(output_.fd()), (std::vector<std::string>{"blobs", "index.json"}));
}

TEST_F(OuterArchive, OnlyDigestsAreBlobNames) {
    const auto report = unpack(kIndex + entry("blobs/sha256/UPPER", "x") +
                               entry("blobs/md5/" + std::string(64, 'a'), "x") +
                               entry("blobs/sha256/" + std::string(64, 'a') + "/b", "x") + kEnd);
    EXPECT_EQ(report.skipped, 3U);
    EXPECT_EQ(list_dir(output_.fd()), std::vector<std::string>{"index.json"});
}

TEST_F(OuterArchive, EscapesAreRefused) {
    refused(entry("../index.json", "x") + kEnd, "leaves its directory with '..'");
    refused(entry("blobs/../../x", "x") + kEnd, "leaves its directory with '..'");
    refused(entry("/index.json", "x") + kEnd, "has an absolute path");
    EXPECT_TRUE(list_dir(output_.fd()).empty());
}

TEST_F(OuterArchive, LinksAndDevicesAreRefusedWhateverTheirName) {
    refused(entry("elsewhere", "", '2', "/etc") + kEnd, "is a link");
    refused(entry("index.json", "", '1', "oci-layout") + kEnd, "is a link");
    refused(entry("tty", "", '3') + kEnd, "neither a file nor a directory");
    refused(entry("pipe", "", '6') + kEnd, "neither a file nor a directory");
}

TEST_F(OuterArchive, ANameThatComesTwiceIsRefused) {
    refused(kIndex + entry("./index.json", "other") + kEnd, "'index.json' comes twice");
}

TEST_F(OuterArchive, TooManyEntriesAreRefused) {
    limits_.max_entries = 2;
    refused(kIndex + entry("a", "") + entry("b", "") + kEnd, "more than the 2 entries");
}

TEST_F(OuterArchive, TooManyBytesAreRefused) {
    limits_.max_bytes = 2;
    EXPECT_EQ(unpack(kIndex + kEnd).bytes, 2U);
    remove_tree_at(output_.fd(), "index.json");
    refused(kIndex + entry("oci-layout", "x") + kEnd, "more than the 2 bytes");
}

TEST_F(OuterArchive, TruncationIsNoticed) {
    const std::string whole = kIndex + entry("oci-layout", std::string(5000, 'x'));
    refused(whole.substr(0, 3 * kBlock + 700), "OCI archive: ");
}

TEST_F(OuterArchive, WithoutAnIndexItIsNoLayout) {
    refused(entry("manifest.json", "[]") + kEnd, "no index.json");
    refused("", "OCI archive: ");
    refused("this is no tar at all", "OCI archive: ");
}

TEST_F(OuterArchive, StoppingIsCancelled) {
    stop_.request_stop();
    expect_error(ErrorCode::Cancelled, "", [&] { (void)unpack(kIndex + kEnd); });
}

}  // namespace
}  // namespace cfs::archive
