// SPDX-License-Identifier: Apache-2.0
#include "archive/tar_writer.hpp"

#include "base/error.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace cfs::archive {
namespace {

class TextSink final : public Sink {
 public:
    void write(ByteView data) override {
        if (room < data.size()) throw Error(ErrorCode::NoSpace, "the sink is full");
        room -= data.size();
        text += as_text(data);
    }

    std::string text;
    std::size_t room = std::size_t{1} << 30;
};

/// What tar makes of it.
std::string unpacked(const std::string& archive, const std::string& command) {
    const test::TempDir dir;
    dir.write("a.tar.gz", archive);
    const std::string run = "cd '" + dir.path() + "' && " + command + " > out 2>&1";
    EXPECT_EQ(std::system(run.c_str()), 0) << dir.read("out");
    return dir.read("out");
}

std::string some_archive() {
    TextSink sink;
    TarWriter tar(sink);
    tar.file("d/one", as_bytes(std::string("content\n")), 1'700'000'000);
    tar.file("d/" + std::string(150, 'n'), as_bytes(std::string(100'000, 'x')), 0);
    tar.file("d/empty", {}, 0);
    tar.finish();
    return sink.text;
}

TEST(TarWriter, TarReadsWhatItWrote) {
    const std::string archive = some_archive();
    EXPECT_EQ(unpacked(archive, "tar -xzOf a.tar.gz d/one"), "content\n");
    const std::string names = "d/one\nd/" + std::string(150, 'n') + "\nd/empty\n";
    EXPECT_EQ(unpacked(archive, "tar -tzf a.tar.gz"), names);
    EXPECT_EQ(unpacked(archive, "tar --utc -tvzf a.tar.gz d/one | cut -d' ' -f1,2"),
              "-rw------- 0/0\n");
}

TEST(TarWriter, AFullSinkIsThatError) {
    for (const std::size_t room : {std::size_t{0}, std::size_t{20}, std::size_t{200}}) {
        TextSink sink;
        sink.room = room;
        const auto write = [&] {
            TarWriter tar(sink);
            std::string noise;
            for (unsigned i = 0; i < 300'000; ++i)
                noise += static_cast<char>((i * 2654435761U) >> 13U);
            tar.file("noise", as_bytes(noise), 0);
            tar.finish();
        };
        try {
            write();
            ADD_FAILURE() << "no error with room for " << room;
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::NoSpace) << e.what();
        }
    }
}

TEST(TarWriter, WithoutItsEndNothingMoreIsWritten) {
    TextSink sink;
    {
        TarWriter tar(sink);
        tar.file("one", as_bytes(std::string("content\n")), 0);
    }
    EXPECT_TRUE(sink.text.empty()) << sink.text.size();
}

}  // namespace
}  // namespace cfs::archive
