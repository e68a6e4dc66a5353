// SPDX-License-Identifier: Apache-2.0
/// \file Splitstreams: a byte stream (a layer's tar, a manifest) kept as literal bytes plus the
/// names of objects whose whole content goes in between, so that large files are stored once.
///
///     0    "SplitStream", version 0, flags u16, algorithm u8, log2 block size u8 (12),
///     16   info section: start u64, end u64
///     32   info: ranges of stream_refs, object_refs, stream, named_refs (start, end),
///          content type u64, total size u64
///     112  stream_refs (raw digests), object_refs (raw digests),
///          named_refs (zstd: "<index in stream_refs>:<name>\0"..., sorted by name),
///          stream (zstd: i64 -n and n literal bytes, or i64 index in object_refs)
///
/// All integers little endian. An older header (ranges first, magic at 18) is read, never written.
#pragma once

#include "base/bytes.hpp"
#include "base/unique_fd.hpp"
#include "crypto/digest.hpp"
#include "store/repository.hpp"
#include "store/splitstream_format.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::store {

/// Eight characters as they stand in the file.
[[nodiscard]] constexpr std::uint64_t content_type(std::string_view eight) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8 && i < eight.size(); ++i) {
        value |= std::uint64_t{static_cast<std::uint8_t>(eight[i])} << (8 * i);
    }
    return value;
}

inline constexpr std::uint64_t kOciLayer = content_type("ocilayer");
inline constexpr std::uint64_t kOciConfig = content_type("ociconfg");
inline constexpr std::uint64_t kOciManifest = content_type("ocimanif");
inline constexpr std::uint64_t kOciBlob = content_type("oci_blob");

/// Writes one splitstream into the store. Memory stays bounded however long the stream is: literal
/// runs and the compressed stream spill to unnamed files in the store. One thread. Not durable, not
/// linked: see Repository::commit_stream.
class SplitstreamWriter {
 public:
    explicit SplitstreamWriter(Repository& repository);
    SplitstreamWriter(const SplitstreamWriter&) = delete;
    SplitstreamWriter& operator=(const SplitstreamWriter&) = delete;
    ~SplitstreamWriter();

    /// Adjacent literals become one chunk: composefs-rs wants a tar header in one.
    void literal(ByteView data);

    /// The whole content of an object, which the caller stored.
    /// \param size its bytes; counts into the stream's total size
    void external(const Digest& object, std::uint64_t size);

    /// Keeps `target` (a splitstream or an image) alive and found by `name`. A name given twice
    /// must mean the same target (InvalidArgs).
    void named_ref(const std::string& name, const Digest& target);

    /// Bytes of the reassembled stream so far.
    [[nodiscard]] std::uint64_t total_size() const;

    /// Stores the splitstream; its digest is not reproducible across zstd versions and nothing
    /// needs it to be. \pre called once, last.
    [[nodiscard]] Digest finish(std::uint64_t content_type);

 private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Gets the parts of a stream in order.
class SplitstreamVisitor {
 public:
    SplitstreamVisitor() = default;
    SplitstreamVisitor(const SplitstreamVisitor&) = delete;
    SplitstreamVisitor& operator=(const SplitstreamVisitor&) = delete;
    virtual ~SplitstreamVisitor() = default;

    /// A piece; one run of literals may come in several.
    virtual void literal(ByteView data) = 0;

    /// The whole content of an object goes here.
    /// \param size bytes, from the store
    virtual void external(const Digest& object, std::uint64_t size) = 0;
};

/// What a hostile or damaged splitstream may make us do at most.
struct SplitstreamLimits {
    std::uint64_t max_total_bytes = std::uint64_t{1} << 40;        ///< declared total size
    std::uint64_t max_table_bytes = std::uint64_t{128} << 20;      ///< each table of digests
    std::uint64_t max_named_refs_bytes = std::uint64_t{16} << 20;  ///< decompressed
};

/// Bytes of an object; throws when it is missing.
using ObjectSizes = std::function<std::uint64_t(const Digest&)>;

/// A splitstream opened for reading. Checks every offset, range and index before use; BadFormat
/// names what is wrong. Literals are bounded by the declared total size, however well they
/// compress. One thread.
class SplitstreamReader {
 public:
    /// \param algorithm the repository's; a splitstream of the other one is refused
    SplitstreamReader(UniqueFd file, HashAlgorithm algorithm, const SplitstreamLimits& limits = {});

    /// `file` must outlive the reader.
    SplitstreamReader(ByteView file, HashAlgorithm algorithm, const SplitstreamLimits& limits = {});

    [[nodiscard]] std::uint64_t content_type() const { return head_.content_type; }

    /// Declared bytes of the reassembled stream.
    [[nodiscard]] std::uint64_t total_size() const { return head_.total_size; }

    /// Splitstreams and images that this one refers to, in file order.
    [[nodiscard]] const std::vector<Digest>& stream_refs() const { return stream_refs_; }

    /// External objects, in file order.
    [[nodiscard]] const std::vector<Digest>& object_refs() const { return object_refs_; }

    /// By name. Decompresses on each call.
    [[nodiscard]] std::map<std::string, Digest> named_refs() const;

    /// Walks the stream. The parts must add up to exactly the declared total size.
    void read(const ObjectSizes& sizes, SplitstreamVisitor& visitor) const;

 private:
    class RangeSource;

    void parse(HashAlgorithm algorithm);
    void read_at(std::span<std::uint8_t> buffer, std::uint64_t offset) const;
    [[nodiscard]] std::vector<Digest> load_digests(const FileRange& range,
                                                   HashAlgorithm algorithm,
                                                   std::string_view what) const;

    UniqueFd file_;  ///< empty when memory_ is used
    ByteView memory_;
    std::uint64_t size_ = 0;  ///< of the file
    SplitstreamLimits limits_;
    SplitstreamHead head_;
    std::vector<Digest> stream_refs_;
    std::vector<Digest> object_refs_;
};

/// Opens a (measured) splitstream object of the store.
[[nodiscard]] SplitstreamReader open_splitstream(const Repository& repository,
                                                 const Digest& object,
                                                 const SplitstreamLimits& limits = {});

/// Opens and walks it; sizes of external objects come from the store (by stat: whether they are
/// sound is the caller's business). NotFound names a missing object.
void read_splitstream(const Repository& repository,
                      const Digest& object,
                      SplitstreamVisitor& visitor,
                      const SplitstreamLimits& limits = {});

/// Reassembles the bytes of streams/<name>; every external object is measured before it is used.
void cat_stream(const Repository& repository,
                const std::string& name,
                Sink& out,
                const SplitstreamLimits& limits = {});

}  // namespace cfs::store
