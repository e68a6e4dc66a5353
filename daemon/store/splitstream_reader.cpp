// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "store/splitstream.hpp"
#include "store/zstd_stream.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace cfs::store {
namespace {

constexpr std::size_t kPiece = std::size_t{128} * 1024;

[[noreturn]] void bad(const std::string& what) {
    throw Error(ErrorCode::BadFormat, "damaged splitstream: " + what);
}

/// Fills the buffer unless the source ends; returns how much there was.
std::size_t read_full(Source& source, std::span<std::uint8_t> buffer) {
    std::size_t done = 0;
    while (done < buffer.size()) {
        const std::size_t n = source.read(buffer.subspan(done));
        if (n == 0) break;
        done += n;
    }
    return done;
}

/// nullopt at the end of the stream.
std::optional<std::int64_t> read_number(Source& source) {
    std::array<std::uint8_t, 8> bytes{};
    const std::size_t n = read_full(source, bytes);
    if (n == 0) return std::nullopt;
    if (n != bytes.size()) bad("its stream ends within a number");
    return static_cast<std::int64_t>(load_le<std::uint64_t>(bytes, 0));
}

void copy_literals(Source& source, std::uint64_t count, Bytes& buffer, SplitstreamVisitor& to) {
    while (count > 0) {
        const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(count, kPiece));
        buffer.resize(want);
        if (read_full(source, buffer) != want) bad("its stream ends within literal bytes");
        to.literal(buffer);
        count -= want;
    }
}

/// "<index>:<name>"
std::pair<std::string, std::size_t> split_record(std::string_view record, std::size_t refs) {
    const std::size_t colon = record.find(':');
    if (colon == std::string_view::npos) bad("a named ref has no ':'");
    std::size_t index = 0;
    const char* const end = record.data() + colon;
    const auto parsed = std::from_chars(record.data(), end, index);
    if (colon == 0 || parsed.ec != std::errc{} || parsed.ptr != end || index >= refs) {
        bad("a named ref has the index '" + printable(record.substr(0, colon), 20) + "' of " +
            std::to_string(refs));
    }
    return {std::string(record.substr(colon + 1)), index};
}

}  // namespace

/// A section of the file as a stream.
class SplitstreamReader::RangeSource final : public Source {
 public:
    RangeSource(const SplitstreamReader& reader, const FileRange& range)
        : reader_(reader), rest_(range) {}

    [[nodiscard]] std::size_t read(std::span<std::uint8_t> buffer) override {
        const auto n =
            static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), rest_.size()));
        reader_.read_at(buffer.first(n), rest_.start);
        rest_.start += n;
        return n;
    }

 private:
    const SplitstreamReader& reader_;
    FileRange rest_;
};

SplitstreamReader::SplitstreamReader(UniqueFd file,
                                     HashAlgorithm algorithm,
                                     const SplitstreamLimits& limits)
    : file_(std::move(file)), size_(file_size(file_.get())), limits_(limits) {
    parse(algorithm);
}

SplitstreamReader::SplitstreamReader(ByteView file,
                                     HashAlgorithm algorithm,
                                     const SplitstreamLimits& limits)
    : memory_(file), size_(file.size()), limits_(limits) {
    parse(algorithm);
}

void SplitstreamReader::read_at(std::span<std::uint8_t> buffer, std::uint64_t offset) const {
    if (file_) return pread_exact(file_.get(), buffer, offset);
    const ByteView part = memory_.subspan(offset, buffer.size());
    std::copy(part.begin(), part.end(), buffer.begin());
}

void SplitstreamReader::parse(HashAlgorithm algorithm) {
    if (size_ < kHeaderSize) bad("it has " + std::to_string(size_) + " bytes");
    std::array<std::uint8_t, kHeaderSize> header{};
    read_at(header, 0);
    const FileRange info = find_info(header, algorithm);
    if (info.start > info.end || info.end > size_ || info.size() < kInfoSize) {
        bad("its info section is " + std::to_string(info.start) + ".." + std::to_string(info.end) +
            " in a file of " + std::to_string(size_) + " bytes");
    }
    std::array<std::uint8_t, kInfoSize> bytes{};
    read_at(bytes, info.start);
    head_ = decode_info(bytes, size_);
    head_.algorithm = algorithm;
    if (head_.total_size > limits_.max_total_bytes) {
        bad("it stands for " + std::to_string(head_.total_size) + " bytes, allowed are " +
            std::to_string(limits_.max_total_bytes));
    }
    stream_refs_ = load_digests(head_.stream_refs, algorithm, "stream_refs");
    object_refs_ = load_digests(head_.object_refs, algorithm, "object_refs");
}

std::vector<Digest> SplitstreamReader::load_digests(const FileRange& range,
                                                    HashAlgorithm algorithm,
                                                    std::string_view what) const {
    const std::size_t each = digest_size(algorithm);
    if (range.size() % each != 0 || range.size() > limits_.max_table_bytes) {
        bad("its " + std::string(what) + " section has " + std::to_string(range.size()) +
            " bytes, expected a multiple of " + std::to_string(each) + " up to " +
            std::to_string(limits_.max_table_bytes));
    }
    Bytes raw(range.size());
    read_at(raw, range.start);
    std::vector<Digest> out;
    out.reserve(raw.size() / each);
    for (std::size_t at = 0; at < raw.size(); at += each) {
        out.emplace_back(algorithm, ByteView(raw).subspan(at, each));
    }
    return out;
}

std::map<std::string, Digest> SplitstreamReader::named_refs() const {
    ZstdSource source(std::make_unique<RangeSource>(*this, head_.named_refs));
    MemorySink text(limits_.max_named_refs_bytes);
    with_context("damaged splitstream: its named refs", [&] { copy_stream(source, text); });
    std::map<std::string, Digest> out;
    std::string_view rest = as_text(text.bytes());
    while (!rest.empty()) {
        const std::size_t end = rest.find('\0');
        if (end == std::string_view::npos) bad("its last named ref has no end");
        auto [name, index] = split_record(rest.substr(0, end), stream_refs_.size());
        if (!out.emplace(name, stream_refs_[index]).second) {
            bad("the named ref '" + printable(name) + "' is there twice");
        }
        rest.remove_prefix(end + 1);
    }
    return out;
}

void SplitstreamReader::read(const ObjectSizes& sizes, SplitstreamVisitor& visitor) const {
    ZstdSource source(std::make_unique<RangeSource>(*this, head_.stream));
    Bytes buffer;
    std::uint64_t left = head_.total_size;
    const auto take = [&](std::uint64_t count) {
        if (count > left) {
            bad("its parts are longer than the " + std::to_string(head_.total_size) +
                " bytes it declares");
        }
        left -= count;
    };
    while (const auto number = read_number(source)) {
        const auto raw = static_cast<std::uint64_t>(*number);
        if (*number < 0) {
            const std::uint64_t count = ~raw + 1;
            take(count);
            copy_literals(source, count, buffer, visitor);
            continue;
        }
        if (raw >= object_refs_.size()) {
            bad("it names external object " + std::to_string(raw) + " of " +
                std::to_string(object_refs_.size()));
        }
        const Digest& object = object_refs_[raw];
        const std::uint64_t size = sizes(object);
        take(size);
        visitor.external(object, size);
    }
    if (left != 0)
        bad("its parts are " + std::to_string(left) + " bytes short of what it declares");
}

SplitstreamReader open_splitstream(const Repository& repository,
                                   const Digest& object,
                                   const SplitstreamLimits& limits) {
    return with_context("opening the splitstream " + object.hex(), [&] {
        return SplitstreamReader(repository.open_object(object), repository.algorithm(), limits);
    });
}

void read_splitstream(const Repository& repository,
                      const Digest& object,
                      SplitstreamVisitor& visitor,
                      const SplitstreamLimits& limits) {
    const SplitstreamReader reader = open_splitstream(repository, object, limits);
    const auto size_of = [&](const Digest& external) {
        const auto size = repository.object_size(external);
        if (size) return *size;
        throw Error(ErrorCode::NotFound,
                    "the store '" + repository.path() + "' has no object " + external.hex(),
                    "fetch the image again; 'cfsctl store fsck' shows what is missing");
    };
    with_context("reading the splitstream " + object.hex(), [&] { reader.read(size_of, visitor); });
}

namespace {

class Reassembler final : public SplitstreamVisitor {
 public:
    Reassembler(const Repository& repository, Sink& out) : repository_(repository), out_(out) {}

    void literal(ByteView data) override { out_.write(data); }

    void external(const Digest& object, std::uint64_t size) override {
        const UniqueFd fd = repository_.open_object(object);
        FdSource source(fd.get());
        const std::uint64_t copied = copy_stream(source, out_);
        if (copied != size) bad("the object " + object.hex() + " changes while it is read");
    }

 private:
    const Repository& repository_;
    Sink& out_;
};

}  // namespace

void cat_stream(const Repository& repository,
                const std::string& name,
                Sink& out,
                const SplitstreamLimits& limits) {
    const auto object = repository.find_stream(name);
    if (!object) {
        throw Error(ErrorCode::NotFound,
                    "the store '" + repository.path() + "' has no stream '" + printable(name) + "'",
                    "fetch the image it belongs to");
    }
    Reassembler reassembler(repository, out);
    with_context("stream '" + printable(name) + "'",
                 [&] { read_splitstream(repository, *object, reassembler, limits); });
}

}  // namespace cfs::store
