// SPDX-License-Identifier: Apache-2.0
#include "uki/boot_digest.hpp"

#include "unit/uki/pe_builder.hpp"

#include <gtest/gtest.h>

#include <set>

namespace cfs::uki {
namespace {

using namespace cfs::test;

const std::string kOne(64, 'a');
const std::string kTwo(64, 'b');

Digest digest_of(const Sections& sections) {
    const Bytes file = build_pe(sections);
    const PeImage pe = parse_pe(file);
    return boot_digest(pe, parse_uki(pe));
}

Sections parts(const std::string& cmdline, const std::string& initrd = "initrd") {
    return {{".osrel", "ID=x\n"}, {".cmdline", cmdline}, {".linux", "kernel"}, {".initrd", initrd}};
}

TEST(BootDigest, IsTheSameForAnotherImage) {
    const Digest one = digest_of(parts("quiet composefs=" + kOne + " panic=1"));
    EXPECT_EQ(one, digest_of(parts("quiet composefs=" + kTwo + " panic=1")));
    EXPECT_EQ(one, digest_of(parts("quiet composefs=?" + kTwo + " panic=1")));
    EXPECT_EQ(one, digest_of(parts("quiet composefs.digest=v1-sha256-12:" + kTwo + "  panic=1")));
    Sections other = parts("quiet composefs=" + kOne + " panic=1");
    other[0] = {".osrel", "ID=x\nVERSION_ID=2\n"};
    other.push_back({".sbat", "another"});
    EXPECT_EQ(one, digest_of(other));
}

TEST(BootDigest, IsAnotherForWhateverOnlyTheFirmwareStarts) {
    const std::string arg = "composefs=" + kOne;
    std::set<std::string> seen;
    const auto add = [&](const Sections& sections) {
        EXPECT_TRUE(seen.insert(digest_of(sections).hex()).second) << seen.size();
    };
    add(parts(arg));
    add(parts(arg + " debug"));
    add(parts("debug " + arg + " more"));
    add(parts("more " + arg + " debug"));
    add(parts("debugmore " + arg));
    add(parts(arg, "another"));
    Sections kernel = parts(arg);
    kernel[2] = {".linux", "kernel2"};
    add(kernel);
    for (const char* name : {".ucode", ".dtb", ".dtbauto", ".hwids", ".efifw"}) {
        Sections with = parts(arg);
        with.push_back({name, "bytes"});
        add(with);
    }
    Sections profile = parts(arg);
    profile.push_back({".profile", "ID=main\n"});
    add(profile);
    profile.push_back({".profile", "ID=debug\n"});
    profile.push_back({".cmdline", arg + " debug"});
    add(profile);
}

}  // namespace
}  // namespace cfs::uki
