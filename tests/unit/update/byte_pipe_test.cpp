// SPDX-License-Identifier: Apache-2.0
#include "update/byte_pipe.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace cfs::update {
namespace {

TEST(BytePipe, CarriesEveryByteInOrderThroughASmallBuffer) {
    BytePipe pipe(100);
    Bytes sent(10'000);
    for (std::size_t i = 0; i < sent.size(); ++i)
        sent[i] = static_cast<std::uint8_t>(i * 31);
    std::jthread writer([&] {
        for (std::size_t at = 0; at < sent.size(); at += 77) {
            pipe.writer().write(
                ByteView(sent).subspan(at, std::min<std::size_t>(77, sent.size() - at)));
        }
        pipe.end_writing(nullptr);
    });
    MemorySink received(sent.size());
    EXPECT_EQ(copy_stream(pipe.reader(), received), sent.size());
    EXPECT_EQ(received.bytes(), sent);
}

TEST(BytePipe, BuffersComeBackToTheWriter) {
    BytePipe pipe(4096);
    pipe.push(Bytes(1024, 1));
    pipe.push(Bytes(1024, 2));
    auto first = pipe.pull({});
    ASSERT_TRUE(first);
    const std::uint8_t* used = first->data();
    const auto second = pipe.pull(std::move(*first));
    ASSERT_TRUE(second);
    EXPECT_EQ(*second, Bytes(1024, 2));
    EXPECT_EQ(pipe.spare().data(), used);
    EXPECT_EQ(pipe.spare().data(), nullptr) << "there was one";
}

TEST(BytePipe, TheReaderGetsTheBytesAndThenTheWritersError) {
    BytePipe pipe(100);
    pipe.writer().write(as_bytes("half"));
    pipe.end_writing(std::make_exception_ptr(Error(ErrorCode::Network, "cut")));
    Bytes buffer(10);
    EXPECT_EQ(pipe.reader().read(buffer), 4U);
    EXPECT_THROW((void)pipe.reader().read(buffer), Error);
}

TEST(BytePipe, AWriterThatWaitsIsFreedWhenTheReaderGoes) {
    BytePipe pipe(1);
    pipe.writer().write(as_bytes("full"));
    std::exception_ptr seen;
    {
        std::jthread writer([&] {
            try {
                pipe.writer().write(as_bytes("waits"));
            } catch (...) {
                seen = std::current_exception();
            }
        });
        pipe.end_reading();
    }
    EXPECT_TRUE(seen);
}

}  // namespace
}  // namespace cfs::update
