// SPDX-License-Identifier: Apache-2.0
#include "uki/peek.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "support/temp_dir.hpp"
#include "uki/uki.hpp"
#include "unit/uki/pe_builder.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>

namespace cfs::uki {
namespace {

using namespace cfs::test;

class Peek : public testing::Test {
 protected:
    [[nodiscard]] OsRelease peek(ByteView file) const {
        dir_.write("x.efi", as_text(file));
        return peek_os_release(open_at(dir_.fd(), "x.efi", O_RDONLY).get());
    }

    TempDir dir_;
};

TEST_F(Peek, ReadsWhatTheFullParserReads) {
    for (const char* name : {"sbsign.efi", "osslsigncode.efi", "objcopy.efi", "unsigned.efi"}) {
        const Bytes file = read_fixture(name);
        EXPECT_EQ(peek(file), parse_uki(file).osrel) << name;
    }
}

TEST_F(Peek, RefusesWhatNoLoaderLists) {
    EXPECT_THROW((void)peek({}), Error);
    EXPECT_THROW((void)peek(as_bytes("MZ")), Error);
    EXPECT_THROW((void)peek(build_pe({{".osrel", "ID=x"}})), Error);
    EXPECT_THROW((void)peek(build_pe({{".linux", "kernel"}})), Error);
    EXPECT_THROW((void)peek(build_pe({{".osrel", "VERSION=1"}, {".linux", "kernel"}})), Error);
}

TEST_F(Peek, AFileCutAnywhereIsAnErrorOrReadsTheSame) {
    const Bytes file = read_fixture("sbsign.efi");
    const OsRelease whole = peek(file);
    for (std::size_t size = 0; size < file.size(); size += 37) {
        try {
            EXPECT_EQ(peek(ByteView(file).first(size)), whole);
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::BadFormat) << e.what();
        }
    }
}

}  // namespace
}  // namespace cfs::uki
