// SPDX-License-Identifier: Apache-2.0
/// \file A map from names in byte order to values, for directories.
#pragma once

#include "image/name.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace cfs::image {

/// Items lie side by side in chunks: a directory is walked without a jump per name, names that come
/// in order are appended, and one in between moves no more than a chunk. Unlike std::map's, its
/// items move when others come or go.
template <typename Value>
class NameMap {
 public:
    struct Item {
        Name first;
        Value second;
    };

 private:
    using Chunk = std::vector<Item>;
    using Chunks = std::vector<Chunk>;  ///< none of them empty

 public:
    template <bool kConst>
    class Iterator {
     public:
        using iterator_category = std::forward_iterator_tag;
        using value_type = Item;
        using difference_type = std::ptrdiff_t;
        using pointer = std::conditional_t<kConst, const Item*, Item*>;
        using reference = std::conditional_t<kConst, const Item&, Item&>;

        Iterator() = default;

        [[nodiscard]] operator Iterator<true>() const  // NOLINT: as for all iterators
            requires(!kConst) {
            return {chunks_, chunk_, at_};
        }

        reference operator*() const { return (*chunks_)[chunk_][at_]; }

        pointer operator->() const { return &**this; }

        Iterator& operator++() {
            if (++at_ == (*chunks_)[chunk_].size()) {
                ++chunk_;
                at_ = 0;
            }
            return *this;
        }

        Iterator operator++(int) {
            const Iterator before = *this;
            ++*this;
            return before;
        }

        bool operator==(const Iterator& other) const {
            return chunk_ == other.chunk_ && at_ == other.at_;
        }

     private:
        friend class NameMap;
        template <bool>
        friend class Iterator;
        using Owner = std::conditional_t<kConst, const Chunks*, Chunks*>;

        Iterator(Owner chunks, std::size_t chunk, std::size_t at)
            : chunks_(chunks), chunk_(chunk), at_(at) {}

        Owner chunks_ = nullptr;
        std::size_t chunk_ = 0;
        std::size_t at_ = 0;
    };

    using value_type = Item;
    using iterator = Iterator<false>;
    using const_iterator = Iterator<true>;

    [[nodiscard]] bool empty() const { return chunks_.empty(); }

    [[nodiscard]] std::size_t size() const { return size_; }

    [[nodiscard]] iterator begin() { return {&chunks_, 0, 0}; }

    [[nodiscard]] iterator end() { return {&chunks_, chunks_.size(), 0}; }

    [[nodiscard]] const_iterator begin() const { return {&chunks_, 0, 0}; }

    [[nodiscard]] const_iterator end() const { return {&chunks_, chunks_.size(), 0}; }

    [[nodiscard]] iterator find(std::string_view name) {
        const auto [chunk, at] = place_of(name);
        return found(chunk, at, name) ? iterator(&chunks_, chunk, at) : end();
    }

    [[nodiscard]] const_iterator find(std::string_view name) const {
        const auto [chunk, at] = place_of(name);
        return found(chunk, at, name) ? const_iterator(&chunks_, chunk, at) : end();
    }

    /// Like std::map's; cheap for a name behind all others.
    std::pair<iterator, bool> try_emplace(std::string_view name, Value value) {
        auto [chunk, at] = !empty() && chunks_.back().back().first < name
                               ? std::pair(chunks_.size(), std::size_t{0})
                               : place_of(name);
        if (found(chunk, at, name)) return {iterator(&chunks_, chunk, at), false};
        make_room(chunk, at);
        Chunk& into = chunks_[chunk];
        into.insert(into.begin() + static_cast<std::ptrdiff_t>(at),
                    Item{Name(name), std::move(value)});
        ++size_;
        return {iterator(&chunks_, chunk, at), true};
    }

    iterator insert_or_assign(std::string_view name, Value value) {
        if (const iterator old = find(name); old != end()) {
            old->second = std::move(value);
            return old;
        }
        return try_emplace(name, std::move(value)).first;
    }

    void erase(iterator item) {
        Chunk& chunk = chunks_[item.chunk_];
        chunk.erase(chunk.begin() + static_cast<std::ptrdiff_t>(item.at_));
        if (chunk.empty())
            chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(item.chunk_));
        --size_;
    }

    /// A missing name is no error.
    void erase(std::string_view name) {
        if (const iterator item = find(name); item != end()) erase(item);
    }

    template <typename Predicate>
    void erase_if(Predicate unwanted) {
        for (Chunk& chunk : chunks_)
            size_ -= std::erase_if(chunk, unwanted);
        std::erase_if(chunks_, [](const Chunk& chunk) { return chunk.empty(); });
    }

    void clear() {
        chunks_.clear();
        size_ = 0;
    }

 private:
    static constexpr std::size_t kMaxChunk = 64;
    static constexpr std::size_t kFirstRoom = 4;  ///< half of all directories need no more

    using Place = std::pair<std::size_t, std::size_t>;

    [[nodiscard]] bool found(std::size_t chunk, std::size_t at, std::string_view name) const {
        return chunk < chunks_.size() && at < chunks_[chunk].size() &&
               chunks_[chunk][at].first == name;
    }

    /// Where `name` is or belongs.
    [[nodiscard]] Place place_of(std::string_view name) const {
        const auto chunk = std::partition_point(
            chunks_.begin(), chunks_.end(), [&](const Chunk& c) { return c.back().first < name; });
        if (chunk == chunks_.end()) return {chunks_.size(), 0};
        const auto at = std::partition_point(
            chunk->begin(), chunk->end(), [&](const Item& item) { return item.first < name; });
        return {static_cast<std::size_t>(chunk - chunks_.begin()),
                static_cast<std::size_t>(at - chunk->begin())};
    }

    /// Moves the place to one in a chunk that is not full.
    void make_room(std::size_t& chunk, std::size_t& at) {
        if (chunk == chunks_.size()) {
            if (chunks_.empty() || chunks_.back().size() == kMaxChunk) {
                chunks_.emplace_back().reserve(kFirstRoom);
            }
            chunk = chunks_.size() - 1;
            at = chunks_[chunk].size();
        } else if (chunks_[chunk].size() == kMaxChunk) {
            const auto half = chunks_[chunk].begin() + kMaxChunk / 2;
            Chunk upper(std::make_move_iterator(half),
                        std::make_move_iterator(chunks_[chunk].end()));
            chunks_[chunk].erase(half, chunks_[chunk].end());
            chunks_.insert(chunks_.begin() + static_cast<std::ptrdiff_t>(chunk) + 1,
                           std::move(upper));
            if (at > kMaxChunk / 2) {
                ++chunk;
                at -= kMaxChunk / 2;
            }
        }
    }

    Chunks chunks_;
    std::size_t size_ = 0;
};

}  // namespace cfs::image
