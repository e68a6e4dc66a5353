// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "store/parts.hpp"
#include "store/splitstream.hpp"
#include "store/splitstream_format.hpp"
#include "store/spool.hpp"
#include "store/zstd_stream.hpp"

#include <array>
#include <unordered_map>

namespace cfs::store {
namespace {

/// Digests in first-added order, each once.
class DigestTable {
 public:
    std::size_t index_of(const Digest& digest) {
        const auto [found, added] = index_.try_emplace(digest, digests_.size());
        if (added) digests_.push_back(digest);
        return found->second;
    }

    [[nodiscard]] const Digest& at(std::size_t index) const { return digests_.at(index); }

    [[nodiscard]] std::uint64_t bytes(HashAlgorithm algorithm) const {
        return digests_.size() * digest_size(algorithm);
    }

    void write_to(Sink& out) const {
        for (const auto& digest : digests_)
            out.write(digest.bytes());
    }

 private:
    std::vector<Digest> digests_;
    std::unordered_map<Digest, std::size_t> index_;
};

void write_number(Sink& out, std::int64_t value) {
    std::array<std::uint8_t, 8> bytes{};
    store_le<std::uint64_t>(bytes, 0, static_cast<std::uint64_t>(value));
    out.write(bytes);
}

}  // namespace

struct SplitstreamWriter::State {
    explicit State(Repository& to)
        : repository(to),
          run(parts_of(to).objects.get()),
          compressed(parts_of(to).objects.get()),
          stream(compressed),
          named(std::size_t{1} << 30) {}

    void end_run() {
        if (run.size() == 0) return;
        write_number(stream, -static_cast<std::int64_t>(run.size()));
        run.drain(stream);
    }

    [[nodiscard]] Bytes compressed_names() {
        ZstdSink zstd(named);
        for (const auto& [name, index] : names) {
            const std::string record = std::to_string(index) + ":" + name;
            zstd.write(as_bytes(record));
            zstd.write(as_bytes(std::string_view("\0", 1)));
        }
        zstd.finish();
        return named.take();
    }

    Repository& repository;
    Spool run;         ///< the literals since the last external object
    Spool compressed;  ///< the finished part of the stream section
    ZstdSink stream;
    MemorySink named;
    DigestTable stream_refs;
    DigestTable object_refs;
    std::map<std::string, std::size_t> names;  ///< name -> index in stream_refs
    std::uint64_t total = 0;
};

SplitstreamWriter::SplitstreamWriter(Repository& repository)
    : state_(std::make_unique<State>(repository)) {
    require_writable(parts_of(repository));
}

SplitstreamWriter::~SplitstreamWriter() = default;

void SplitstreamWriter::literal(ByteView data) {
    state_->run.write(data);
    state_->total += data.size();
}

void SplitstreamWriter::external(const Digest& object, std::uint64_t size) {
    state_->repository.require_algorithm(object.algorithm());
    state_->end_run();
    const std::size_t index = state_->object_refs.index_of(object);
    write_number(state_->stream, static_cast<std::int64_t>(index));
    state_->total += size;
}

void SplitstreamWriter::named_ref(const std::string& name, const Digest& target) {
    state_->repository.require_algorithm(target.algorithm());
    if (name.find('\0') != std::string::npos) {
        throw Error(ErrorCode::InvalidArgs, "a splitstream's ref name holds a NUL byte");
    }
    const std::size_t index = state_->stream_refs.index_of(target);
    const auto [found, added] = state_->names.try_emplace(name, index);
    if (!added && found->second != index) {
        throw Error(ErrorCode::InvalidArgs,
                    "the ref name '" + printable(name) + "' is given to " + target.hex() +
                        " and to " + state_->stream_refs.at(found->second).hex());
    }
}

std::uint64_t SplitstreamWriter::total_size() const {
    return state_->total;
}

Digest SplitstreamWriter::finish(std::uint64_t content_type) {
    State& s = *state_;
    s.end_run();
    s.stream.finish();
    const Bytes names = s.compressed_names();
    const HashAlgorithm algorithm = s.repository.algorithm();
    SplitstreamHead head;
    head.algorithm = algorithm;
    head.content_type = content_type;
    head.total_size = s.total;
    head.stream_refs = {kHeadSize, kHeadSize + s.stream_refs.bytes(algorithm)};
    head.object_refs = {head.stream_refs.end,
                        head.stream_refs.end + s.object_refs.bytes(algorithm)};
    head.named_refs = {head.object_refs.end, head.object_refs.end + names.size()};
    head.stream = {head.named_refs.end, head.named_refs.end + s.compressed.size()};
    const auto object = s.repository.new_object();
    object->write(encode_head(head));
    s.stream_refs.write_to(*object);
    s.object_refs.write_to(*object);
    object->write(names);
    s.compressed.drain(*object);
    return object->commit();
}

}  // namespace cfs::store
