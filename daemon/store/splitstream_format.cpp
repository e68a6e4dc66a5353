// SPDX-License-Identifier: Apache-2.0
#include "store/splitstream_format.hpp"

#include "base/error.hpp"

#include <algorithm>

namespace cfs::store {
namespace {

constexpr std::string_view kMagic = "SplitStream";
constexpr std::uint8_t kLogBlock = 12;

/// Where the fields of a header are.
struct HeaderLayout {
    std::size_t magic;
    std::size_t version;
    std::size_t algorithm;
    std::size_t log_block;
    std::size_t info;
};

constexpr HeaderLayout kCurrent{0, 11, 14, 15, 16};
constexpr HeaderLayout kOld{18, 29, 30, 31, 0};

[[noreturn]] void bad(const std::string& what) {
    throw Error(ErrorCode::BadFormat, "not a splitstream: " + what);
}

bool has_magic(ByteView header, const HeaderLayout& layout) {
    return as_text(header.subspan(layout.magic, kMagic.size())) == kMagic;
}

FileRange load_range(ByteView info, std::size_t offset, std::uint64_t file_size, const char* what) {
    const FileRange range{load_le<std::uint64_t>(info, offset),
                          load_le<std::uint64_t>(info, offset + 8)};
    if (range.start > range.end || range.end > file_size) {
        bad(std::string("its ") + what + " section is " + std::to_string(range.start) + ".." +
            std::to_string(range.end) + " in a file of " + std::to_string(file_size) + " bytes");
    }
    return range;
}

void store_range(Bytes& out, std::size_t offset, const FileRange& range) {
    store_le(out, offset, range.start);
    store_le(out, offset + 8, range.end);
}

}  // namespace

Bytes encode_head(const SplitstreamHead& head) {
    Bytes out(kHeadSize, 0);
    std::copy(kMagic.begin(), kMagic.end(), out.begin());
    out[kCurrent.algorithm] = static_cast<std::uint8_t>(head.algorithm);
    out[kCurrent.log_block] = kLogBlock;
    store_range(out, kCurrent.info, {kHeaderSize, kHeadSize});
    store_range(out, kHeaderSize, head.stream_refs);
    store_range(out, kHeaderSize + 16, head.object_refs);
    store_range(out, kHeaderSize + 32, head.stream);
    store_range(out, kHeaderSize + 48, head.named_refs);
    store_le(out, kHeaderSize + 64, head.content_type);
    store_le(out, kHeaderSize + 72, head.total_size);
    return out;
}

FileRange find_info(ByteView header, HashAlgorithm algorithm) {
    const HeaderLayout& layout = has_magic(header, kCurrent) ? kCurrent : kOld;
    if (!has_magic(header, layout)) bad("no magic number");
    if (header[layout.version] != 0) {
        bad("version " + std::to_string(header[layout.version]) + ", expected 0");
    }
    if (header[layout.algorithm] != static_cast<std::uint8_t>(algorithm)) {
        bad("hash algorithm " + std::to_string(header[layout.algorithm]) + ", the store uses " +
            std::to_string(static_cast<int>(algorithm)));
    }
    if (header[layout.log_block] != kLogBlock) {
        bad("block size 2^" + std::to_string(header[layout.log_block]) + ", expected 2^12");
    }
    return {load_le<std::uint64_t>(header, layout.info),
            load_le<std::uint64_t>(header, layout.info + 8)};
}

SplitstreamHead decode_info(ByteView info, std::uint64_t file_size) {
    SplitstreamHead head;
    head.stream_refs = load_range(info, 0, file_size, "stream_refs");
    head.object_refs = load_range(info, 16, file_size, "object_refs");
    head.stream = load_range(info, 32, file_size, "stream");
    head.named_refs = load_range(info, 48, file_size, "named_refs");
    head.content_type = load_le<std::uint64_t>(info, 64);
    head.total_size = load_le<std::uint64_t>(info, 72);
    return head;
}

}  // namespace cfs::store
