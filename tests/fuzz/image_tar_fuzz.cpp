// SPDX-License-Identifier: Apache-2.0
// Layer archive -> entries -> merged tree -> transforms -> image. The archive's pieces put together
// must be the archive, and fed in other portions it must give the same. Each input is tried as it
// is and with right checksums, which mutation alone would hardly find.
#include "base/error.hpp"
#include "crypto/fsverity.hpp"
#include "image/erofs_reader.hpp"
#include "image/layers.hpp"
#include "image/transform.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <string>
#include <utility>

namespace {

using namespace cfs;
using namespace cfs::image;

class Collector final : public TarHandler {
 public:
    void literal(ByteView data) override { bytes_ += as_text(data); }

    void file_begin(std::uint64_t size) override {
        file_.clear();
        if (size <= kMaxInline) std::abort();
    }

    void file_data(ByteView data) override { file_ += as_text(data); }

    Digest file_end() override {
        bytes_ += file_;
        return verity_digest(HashAlgorithm::Sha256, as_bytes(file_));
    }

    void entry(TarEntry&& entry) override {
        if (entry.content.size() > kMaxInline) std::abort();
        merger_.apply(std::move(entry));
    }

    [[nodiscard]] const std::string& bytes() const { return bytes_; }

    [[nodiscard]] FileTree tree() { return merger_.take(); }

 private:
    LayerMerger merger_;
    std::string bytes_;
    std::string file_;
};

FileTree read(ByteView archive, std::size_t step) {
    Collector collector;
    TarReader reader(collector, {.max_entries = 4096});
    for (std::size_t at = 0; at < archive.size(); at += step) {
        reader.feed(archive.subspan(at, std::min(step, archive.size() - at)));
    }
    reader.finish();
    if (collector.bytes() != as_text(archive)) std::abort();
    return collector.tree();
}

void compose(FileTree tree) {
    oci_transform(tree, XattrMode::KeepUserXattrs);
    boot_transform(tree, BootMtime::Full, [](const Inode&) { return std::string(); });
    (void)write_erofs(tree, ErofsVersion::V1, HashAlgorithm::Sha256);
}

void try_archive(ByteView archive) {
    FileTree tree;
    try {
        tree = read(archive, 100);
    } catch (const Error&) {
        return;
    }
    const auto image = [](const FileTree& of) -> Bytes {
        try {
            return write_erofs(of, ErofsVersion::V1, HashAlgorithm::Sha256);
        } catch (const Error&) {
            return {};
        }
    };
    const Bytes plain = image(tree);
    if (plain != image(read(archive, archive.size() + 1))) std::abort();
    if (!plain.empty() && image(read_erofs(plain)) != plain) std::abort();
    try {
        compose(std::move(tree));
    } catch (const Error&) {
    }
}

/// Sets the checksum of each block that a header is expected in.
Bytes with_checksums(ByteView archive) {
    constexpr std::size_t kBlock = 512;
    Bytes fixed(archive.begin(), archive.end());
    for (std::size_t at = 0; at + kBlock <= fixed.size();) {
        const auto begin = fixed.begin() + static_cast<std::ptrdiff_t>(at);
        std::uint64_t size = 0;
        for (auto digit = begin + 124; digit != begin + 135; ++digit) {
            if (*digit >= '0' && *digit <= '7') size = 8 * size + (*digit - '0');
        }
        std::fill_n(begin + 148, 8, std::uint8_t{' '});
        const auto sum = std::accumulate(begin, begin + kBlock, 0u);
        if (sum == 8 * ' ') std::fill_n(begin + 148, 8, std::uint8_t{0});
        for (int digit = 0; digit < 6 && sum != 8 * ' '; ++digit) {
            begin[153 - digit] = static_cast<std::uint8_t>('0' + (sum >> (3 * digit) & 7));
        }
        at += kBlock + std::min<std::uint64_t>(size + kBlock - 1, fixed.size()) / kBlock * kBlock;
    }
    return fixed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try_archive({data, size});
    try_archive(with_checksums({data, size}));
    return 0;
}
