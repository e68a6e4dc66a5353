// SPDX-License-Identifier: Apache-2.0
// The C tool itself beside us: random dumps, equal images.
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "image/dump_reader.hpp"
#include "image/erofs_writer.hpp"
#include "support/random_dump.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace cfs::image::test {
namespace {

constexpr std::uint64_t kDumps = 500;
constexpr std::uint64_t kDumpsPerCase = 25;

Bytes file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// What one dump is written with, by both.
struct Way {
    ErofsVersion min = ErofsVersion::V0;
    ErofsVersion max = ErofsVersion::V1;
    bool strict = false;
};

class Peer : public testing::TestWithParam<std::uint64_t> {
 protected:
    /// The peer's image; a refusal is a failure of the test.
    Bytes theirs(const std::string& dump, const Way& way) {
        std::ofstream(dir_.path() + "/dump", std::ios::binary) << dump;
        const std::string command =
            std::string(way.strict ? "CFS_PARSE_STRICT=1 " : "") + "'" CFS_PEER "/mkcomposefs'" +
            " --min-version=" + std::to_string(static_cast<int>(way.min)) +
            " --max-version=" + std::to_string(static_cast<int>(way.max)) + " --from-file '" +
            dir_.path() + "/dump' '" + dir_.path() + "/image' 2> '" + dir_.path() + "/error'";
        // NOLINTNEXTLINE(cert-env33-c): the paths are our own
        if (std::system(command.c_str()) != 0) {
            ADD_FAILURE() << "mkcomposefs: " << as_text(file(dir_.path() + "/error"));
            return {};
        }
        return file(dir_.path() + "/image");
    }

    static Bytes ours(const std::string& dump, const Way& way) {
        const FileTree tree = read_dump(as_bytes(dump),
                                        way.strict ? DumpDialect::CStrict : DumpDialect::C,
                                        HashAlgorithm::Sha256);
        MemorySink image(std::size_t{256} << 20);
        const ErofsOptions options{
            .dialect = ImageDialect::C, .min_version = way.min, .max_version = way.max};
        (void)write_erofs(tree, options, image);
        return image.take();
    }

 private:
    cfs::test::TempDir dir_;
};

TEST_P(Peer, MakesTheSameImages) {
    for (std::uint64_t i = 0; i < kDumpsPerCase; ++i) {
        const std::uint64_t seed = GetParam() * kDumpsPerCase + i;
        SCOPED_TRACE("seed " + std::to_string(seed));
        Way way;
        if (seed % 3 == 1) way.max = ErofsVersion::V0;
        if (seed % 3 == 2) way.min = ErofsVersion::V1;
        way.strict = seed % 5 == 0;
        const std::string dump = cfs::test::random_dump(seed, !way.strict);
        const Bytes image = ours(dump, way);
        ASSERT_FALSE(image.empty());
        ASSERT_TRUE(image == theirs(dump, way)) << dump.substr(0, 2000);
    }
}

INSTANTIATE_TEST_SUITE_P(Random, Peer, testing::Range<std::uint64_t>(0, kDumps / kDumpsPerCase));

}  // namespace
}  // namespace cfs::image::test
