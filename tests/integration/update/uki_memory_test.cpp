// SPDX-License-Identifier: Apache-2.0
// A UKI is as large as its initrd; what checking it takes of memory is not.
#include "base/fs_at.hpp"
#include "crypto/hasher.hpp"
#include "integration/update/site.hpp"
#include "unit/uki/pe_builder.hpp"
#include "update/gate.hpp"
#include "update/mapped_file.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>

#include <fstream>
#include <string>

namespace cfs::test {
namespace {

constexpr std::size_t kInitrd = std::size_t{96} << 20;
/// A piece and what a fault maps around it, a few times.
constexpr std::size_t kRoom = std::size_t{12} << 20;

/// The largest that this process was, from now on.
void forget_peak() {
    std::ofstream("/proc/self/clear_refs") << "5";
}

std::size_t resident(const std::string& field) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.rfind(field + ":", 0) == 0) return std::stoul(line.substr(field.size() + 1)) << 10;
    }
    ADD_FAILURE() << "no " << field;
    return 0;
}

/// Not zeros, and no period that fits a piece.
std::string noise(std::size_t size) {
    std::string out(size, '\0');
    std::uint32_t state = 1;
    for (char& c : out)
        c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    return out;
}

struct LargeUki {
    Digest object, sha256;
    std::size_t size = 0;
};

/// Its bytes are gone again when this returns.
LargeUki store_large_uki(store::Repository& store, const std::string& cmdline) {
    const Bytes file = build_pe({{".osrel", "ID=test\nVERSION_ID=1\n"},
                                 {".cmdline", cmdline},
                                 {".linux", noise(5000)},
                                 {".initrd", noise(kInitrd)}});
    return {store.put_object(file), hash(HashAlgorithm::Sha256, file), file.size()};
}

TEST(UkiMemory, JudgingALargeUkiTakesNoMoreThanASmallOne) {
    Site site;
    site.install("v1");
    site.settings.trust = {settings::TrustMode::Unsealed, {}, false};
    update::Machine machine(site.settings, system_clock());
    const LargeUki large = store_large_uki(machine.store(), site.dir.read("cmdline"));
    update::DeploymentRecord booted;
    booted.architecture = "amd64";  // build_pe's

    forget_peak();
    const std::size_t before = resident("VmRSS");
    const auto judged = update::judge_uki(
        machine, large.object, &booted, {.other_product = true, .lower_version = true});
    EXPECT_LT(resident("VmHWM"), before + kRoom);

    EXPECT_EQ(judged.sha256, large.sha256);
    EXPECT_EQ(judged.uki.size, large.size);
    EXPECT_GT(large.size, kInitrd);
}

TEST(MappedFile, WhatWasLetGoReadsTheSame) {
    const TempDir dir;
    const std::string content = noise(std::size_t{3} << 20);
    dir.write("file", content);
    const UniqueFd fd = open_at(dir.fd(), "file", O_RDONLY);
    const update::MappedFile file(fd.get());
    const ByteView all = file.bytes();
    file.done_with(all.subspan(12345, 1 << 20));
    file.done_with(all);
    file.done_with(all.last(1));
    file.done_with(as_bytes(content));  // not of this file
    EXPECT_EQ(as_text(all), content);
}

TEST(MappedFile, LetsPagesGo) {
    const TempDir dir;
    dir.write("file", noise(kInitrd));
    const UniqueFd fd = open_at(dir.fd(), "file", O_RDONLY);
    const update::MappedFile file(fd.get());
    const Digest whole = hash(HashAlgorithm::Sha256, file.bytes());
    const std::size_t mapped = resident("RssFile");
    EXPECT_EQ(hash(HashAlgorithm::Sha256, file.bytes(), file.release_behind()), whole);
    EXPECT_LT(resident("RssFile") + kInitrd, mapped + kRoom);
}

}  // namespace
}  // namespace cfs::test
