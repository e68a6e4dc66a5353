// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/digest.hpp"

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

[[nodiscard]] Digest hash(HashAlgorithm algorithm, ByteView data);

}  // namespace cfs
