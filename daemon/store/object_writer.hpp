// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "crypto/digest.hpp"
#include "crypto/fsverity.hpp"
#include "store/temp_file.hpp"

#include <cstdint>
#include <optional>

namespace cfs::store {

struct RepositoryParts;

/// The one way of an object into the store: bytes arrive in an unnamed file and are hashed on the
/// way; commit() names it by the digest that the store computed itself, checked against the
/// kernel's where fs-verity is on. One thread at a time; any number of writers at once. Destruction
/// without commit() discards. A crash leaves nothing, or (file systems without O_TMPFILE) an
/// `objects/.tmp-object-*` that the collector removes.
class ObjectWriter final : public Sink {
 public:
    /// By Repository::new_object().
    explicit ObjectWriter(RepositoryParts& repository);
    ~ObjectWriter() override;

    void write(ByteView data) override;

    /// Bytes so far.
    [[nodiscard]] std::uint64_t size() const { return size_; }

    /// Of what was written. \pre nothing is written afterwards
    [[nodiscard]] const Digest& digest();

    /// Links the object under its digest and returns it. A sound one of that name is kept and ours
    /// discarded; a damaged one is replaced. \pre called once; nothing is written afterwards.
    [[nodiscard]] Digest commit();

 private:
    void begin_writeback();

    RepositoryParts& repository_;
    TempFile file_;
    VerityHasher hasher_;
    std::uint64_t size_ = 0;
    std::optional<Digest> digest_;  ///< set once the content has ended
};

}  // namespace cfs::store
