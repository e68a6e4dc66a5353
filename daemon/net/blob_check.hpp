// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "crypto/hasher.hpp"
#include "net/oci_types.hpp"

#include <cstdint>

namespace cfs::net {

/// Passes a blob's bytes on to `out` while it counts and hashes them. One thread.
/// Invariant: never more than blob.size bytes are passed on. The state carries on over an
/// interrupted transfer, so that a resumed one is checked as a whole.
class BlobCheck final : public Sink {
 public:
    /// Both must outlive this.
    BlobCheck(const Descriptor& blob, Sink& out);

    /// DigestMismatch as soon as there are too many bytes.
    void write(ByteView data) override;

    [[nodiscard]] std::uint64_t received() const { return received_; }

    /// The digest of what was received.
    [[nodiscard]] Digest so_far() const { return hasher_.so_far(); }

    /// DigestMismatch unless exactly the named bytes came.
    void finish();

 private:
    const Descriptor& blob_;
    Sink& out_;
    Hasher hasher_;
    std::uint64_t received_ = 0;
};

[[noreturn]] void wrong_size(const Descriptor& blob, const std::string& found);

}  // namespace cfs::net
