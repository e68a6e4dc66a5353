// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "store/temp_file.hpp"

#include <cstdint>
#include <optional>

namespace cfs::store {

/// Bytes kept until their number is known: a little in memory, the rest in an unnamed file, so that
/// a stream of any length costs the same memory. One thread.
class Spool final : public Sink {
 public:
    /// \param dir descriptor of the directory for the file; outlives this
    explicit Spool(int dir) : dir_(dir) {}

    void write(ByteView data) override;

    [[nodiscard]] std::uint64_t size() const { return in_file_ + memory_.size(); }

    /// Everything written so far goes to `out`; the spool is empty afterwards.
    void drain(Sink& out);

 private:
    void spill();

    int dir_;
    Bytes memory_;
    std::optional<TempFile> file_;
    std::uint64_t in_file_ = 0;
};

}  // namespace cfs::store
