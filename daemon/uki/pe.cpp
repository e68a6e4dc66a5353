// SPDX-License-Identifier: Apache-2.0
#include "uki/pe.hpp"

#include "base/error.hpp"
#include "uki/pe_parts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace cfs::uki {
namespace {

constexpr std::size_t kAlignment = 8;
constexpr std::size_t kChecksumSize = 4;
constexpr std::size_t kDirectorySize = 8;
constexpr std::array<std::uint8_t, kAlignment> kZeros{};

/// Sections with data in the order of the file: no gap, no overlap. Returns where they end.
std::size_t check_contiguous(std::vector<const PeSection*>& by_offset, std::size_t headers_size) {
    std::sort(by_offset.begin(), by_offset.end(), [](const PeSection* a, const PeSection* b) {
        return a->raw_offset < b->raw_offset;
    });
    std::size_t end = headers_size;
    for (const PeSection* section : by_offset) {
        const std::string title =
            "section '" + printable(section->name) + "' at " + hex(section->raw_offset);
        if (section->raw_offset < end) {
            bad_pe(title + " shares bytes with the one before it, which ends at " + hex(end));
        }
        if (section->raw_offset > end) {
            bad_pe(std::to_string(section->raw_offset - end) + " bytes before " + title +
                   " belong to no section");
        }
        end += section->raw.size();
    }
    return end;
}

bool is_signed(const PeHeaders& headers) {
    if ((headers.certificate_offset == 0) != (headers.certificate_size == 0)) {
        bad_pe("the certificate table is half there: offset " + hex(headers.certificate_offset) +
               ", size " + hex(headers.certificate_size));
    }
    return headers.certificate_size != 0;
}

void check_certificate_place(ByteView file, const PeHeaders& headers, std::size_t data_end) {
    const std::uint64_t start = headers.certificate_offset;
    const std::uint64_t end = start + headers.certificate_size;
    if (start < data_end) {
        bad_pe("the certificate table at " + hex(start) + " lies inside the image, which ends at " +
               hex(data_end));
    }
    if (start % kAlignment != 0) {
        bad_pe("the certificate table at " + hex(start) + " is not aligned to 8 bytes");
    }
    if (end > file.size()) {
        bad_pe("the certificate table reaches to " + hex(end) + ", beyond the end of the file at " +
               hex(file.size()));
    }
    if (end < file.size()) {
        bad_pe(std::to_string(file.size() - end) +
               " bytes follow the certificate table; firmware refuses such a file");
    }
}

struct Range {
    std::size_t from;
    std::size_t to;
};

/// \param rest between the last section and the signatures; it is hashed although nobody loads it
std::vector<ByteView> ranges_to_hash(ByteView file,
                                     const PeHeaders& headers,
                                     const std::vector<const PeSection*>& by_offset,
                                     Range rest) {
    std::vector<ByteView> out;
    const auto add = [&](std::size_t from, std::size_t to) {
        if (to > from) out.push_back(file.subspan(from, to - from));
    };
    add(0, headers.checksum_offset);
    add(headers.checksum_offset + kChecksumSize, headers.certificate_entry);
    add(headers.certificate_entry + kDirectorySize, headers.headers_size);
    for (const PeSection* section : by_offset)
        out.push_back(section->raw);
    add(rest.from, rest.to);
    return out;
}

/// As signing tools do before they hash.
void pad(std::vector<ByteView>& ranges, std::size_t size) {
    const std::size_t odd = size % kAlignment;
    if (odd != 0) ranges.push_back(ByteView(kZeros).first(kAlignment - odd));
}

}  // namespace

void bad_pe(const std::string& what) {
    throw Error(ErrorCode::BadFormat,
                "not a sound PE image: " + what,
                "fetch the file again; if that does not help, build it again with ukify");
}

std::string hex(std::uint64_t value) {
    std::array<char, 16> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value, 16).ptr;
    return "0x" + std::string(text.data(), end);
}

const PeSection* PeImage::find(std::string_view name) const {
    const auto found = std::find_if(sections_.begin(),
                                    sections_.end(),
                                    [&](const PeSection& section) { return section.name == name; });
    return found == sections_.end() ? nullptr : &*found;
}

Digest PeImage::authenticode_hash(HashAlgorithm algorithm) const {
    Hasher hasher(algorithm);
    for (const ByteView range : hashed_)
        in_pieces(
            range, [&](ByteView piece) { hasher.update(piece); }, done_);
    return hasher.finish();
}

PeImage parse_pe(ByteView file, PieceDone done) {
    if (file.size() > kMaxPeSize) {
        bad_pe(std::to_string(file.size()) + " bytes; firmware loads less than 2 GiB");
    }
    const PeHeaders headers = parse_headers(file);
    PeImage out;
    out.file_ = file;
    out.done_ = std::move(done);
    out.machine_ = headers.machine;
    out.subsystem_ = headers.subsystem;
    out.sections_ = parse_sections(file, headers);
    std::vector<const PeSection*> by_offset;
    for (const PeSection& section : out.sections_) {
        if (!section.raw.empty()) by_offset.push_back(&section);
    }
    const std::size_t data_end = check_contiguous(by_offset, headers.headers_size);
    const bool with_signatures = is_signed(headers);
    if (with_signatures) {
        check_certificate_place(file, headers, data_end);
        out.signatures_ = parse_certificates(file, headers);
    }
    out.hashed_ =
        ranges_to_hash(file,
                       headers,
                       by_offset,
                       {data_end, with_signatures ? headers.certificate_offset : file.size()});
    if (!with_signatures) pad(out.hashed_, file.size());
    return out;
}

}  // namespace cfs::uki
