// SPDX-License-Identifier: Apache-2.0
#include "update/byte_pipe.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

#include <set>
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
    std::set<const std::uint8_t*> buffers;
    std::jthread writer([&] {
        for (std::uint8_t i = 0; i < 200; ++i) {
            Bytes chunk = pipe.spare();
            chunk.assign(1024, i);
            buffers.insert(chunk.data());
            pipe.push(std::move(chunk));
        }
        pipe.end_writing(nullptr);
    });
    int count = 0;
    for (auto chunk = pipe.pull({}); chunk; chunk = pipe.pull(std::move(*chunk)))
        EXPECT_EQ(*chunk, Bytes(1024, static_cast<std::uint8_t>(count++)));
    EXPECT_EQ(count, 200);
    writer.join();
    EXPECT_LE(buffers.size(), 8U);
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
