// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

namespace cfs {
namespace {

TEST(Bytes, LittleEndianRoundTrip) {
    Bytes room(12, 0xee);
    store_le<std::uint32_t>(room, 2, 0x11223344U);
    EXPECT_EQ(to_hex(room), "eeee44332211eeeeeeeeeeee");
    EXPECT_EQ(load_le<std::uint32_t>(room, 2), 0x11223344U);
    store_le<std::uint64_t>(room, 4, 0x8877665544332211U);
    EXPECT_EQ(load_le<std::uint64_t>(room, 4), 0x8877665544332211U);
}

TEST(Bytes, HexTakesEitherCaseAndNothingElse) {
    EXPECT_EQ(from_hex("00fFa5"), (Bytes{0x00, 0xff, 0xa5}));
    EXPECT_EQ(from_hex(""), Bytes{});
    EXPECT_FALSE(from_hex("0"));
    EXPECT_FALSE(from_hex("0x"));
}

TEST(Bytes, PrintableShowsControlBytesAndCuts) {
    EXPECT_EQ(printable("a\nb"), "a\\x0ab");
    EXPECT_EQ(printable("abcdef", 3), "abc...");
}

TEST(MemorySink, StopsAtItsLimit) {
    MemorySink sink(4);
    sink.write(as_bytes("abcd"));
    EXPECT_THROW(sink.write(as_bytes("e")), Error);
    EXPECT_EQ(as_text(sink.bytes()), "abcd");
}

}  // namespace
}  // namespace cfs
