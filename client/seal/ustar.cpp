// SPDX-License-Identifier: Apache-2.0
#include "client/seal/ustar.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>

namespace cfs::client {
namespace {

constexpr std::size_t kBlock = 512;
using Block = std::array<std::uint8_t, kBlock>;

void put(Block& block, std::size_t offset, std::string_view text) {
    std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(offset));
}

/// `width` includes the terminating NUL, which is there already.
void put_octal(Block& block, std::size_t offset, std::size_t width, std::uint64_t value) {
    std::array<char, 24> text{};
    std::snprintf(text.data(),
                  text.size(),
                  "%0*llo",
                  static_cast<int>(width - 1),
                  static_cast<unsigned long long>(value));
    put(block, offset, std::string_view(text.data()).substr(0, width - 1));
}

}  // namespace

void UstarWriter::header(const std::string& path, char type, unsigned mode, std::uint64_t size) {
    if (path.size() > 99) {
        throw Error(ErrorCode::InvalidArgs,
                    "the path '" + path + "' is longer than the 99 bytes that a ustar header holds",
                    "choose a shorter name");
    }
    Block block{};
    put(block, 0, path);
    put_octal(block, 100, 8, mode);
    put_octal(block, 108, 8, 0);
    put_octal(block, 116, 8, 0);
    put_octal(block, 124, 12, size);
    put_octal(block, 136, 12, 0);
    put(block, 148, "        ");
    block[156] = static_cast<std::uint8_t>(type);
    put(block, 257, std::string_view("ustar\00000", 8));
    put_octal(block, 329, 8, 0);
    put_octal(block, 337, 8, 0);
    const unsigned sum = std::accumulate(block.begin(), block.end(), 0U);
    put_octal(block, 148, 7, sum);
    block[154] = 0;
    sink_.write(block);
}

void UstarWriter::directory(const std::string& path) {
    header(path, '5', 0755, 0);
}

void UstarWriter::file(const std::string& path, ByteView content) {
    header(path, '0', 0644, content.size());
    sink_.write(content);
    const Block zeros{};
    sink_.write(ByteView(zeros).first((kBlock - content.size() % kBlock) % kBlock));
}

void UstarWriter::finish() {
    const Block zeros{};
    sink_.write(zeros);
    sink_.write(zeros);
}

}  // namespace cfs::client
