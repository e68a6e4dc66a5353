// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/digest.hpp"

#include <functional>
#include <memory>

namespace cfs {

/// Streaming SHA-2. Movable, one thread at a time. Order: update()* finish(); finish() starts anew.
class Hasher {
 public:
    explicit Hasher(HashAlgorithm algorithm);
    Hasher(Hasher&&) noexcept;
    Hasher& operator=(Hasher&&) noexcept;
    ~Hasher();

    void update(ByteView data);
    [[nodiscard]] Digest finish();
    /// The digest of what came so far; update() goes on.
    [[nodiscard]] Digest so_far() const;
    [[nodiscard]] HashAlgorithm algorithm() const;

 private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Told of each piece that was hashed: who holds it may let its memory go, because nobody reads it
/// again soon.
using PieceDone = std::function<void(ByteView piece)>;

/// Hands `data` on in pieces of 1 MiB at most: each to `use`, then to `done` if there is one. What
/// they throw ends it.
void in_pieces(ByteView data, const std::function<void(ByteView)>& use, const PieceDone& done = {});

[[nodiscard]] Digest hash(HashAlgorithm algorithm, ByteView data, const PieceDone& done = {});

}  // namespace cfs
