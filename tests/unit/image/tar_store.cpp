// SPDX-License-Identifier: Apache-2.0
#include "unit/image/tar_store.hpp"

#include <algorithm>
#include <utility>

namespace cfs::image::test {

std::vector<TarEntry> TarStore::read(ByteView archive, std::size_t step, TarLimits limits) {
    TarReader reader(*this, limits);
    while (!archive.empty()) {
        const ByteView part = archive.first(std::min(step, archive.size()));
        reader.feed(part);
        archive = archive.subspan(part.size());
    }
    reader.finish();
    return take_entries();
}

void TarStore::replay(TarReader& reader) const {
    for (const Piece& piece : pieces_) {
        if (piece.external) {
            reader.feed_external(*piece.external, objects_.at(*piece.external).size());
        } else {
            reader.feed(piece.literal);
        }
    }
    reader.finish();
}

Bytes TarStore::reassembled() const {
    Bytes all;
    for (const Piece& piece : pieces_) {
        const ByteView part =
            piece.external ? as_bytes(objects_.at(*piece.external)) : ByteView(piece.literal);
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

void TarStore::literal(ByteView data) {
    if (pieces_.empty() || pieces_.back().external) pieces_.emplace_back();
    Bytes& literal = pieces_.back().literal;
    literal.insert(literal.end(), data.begin(), data.end());
}

void TarStore::file_begin(std::uint64_t size) {
    file_.clear();
    file_.reserve(size);
}

void TarStore::file_data(ByteView data) {
    file_ += as_text(data);
}

Digest TarStore::file_end() {
    const Digest digest = verity_digest(algorithm_, as_bytes(file_));
    objects_.emplace(digest, std::exchange(file_, {}));
    pieces_.push_back({{}, digest});
    return digest;
}

void TarStore::entry(TarEntry&& entry) {
    entries_.push_back(std::move(entry));
}

}  // namespace cfs::image::test
