// SPDX-License-Identifier: Apache-2.0
/// \file zstd frames as streams, in the parameters that splitstreams use.
#pragma once

#include "base/bytes.hpp"

#include <memory>

namespace cfs::store {

/// Compresses (level 3) into `out`, which outlives this. One frame, ended by finish(); an empty one
/// too. One thread.
class ZstdSink final : public Sink {
 public:
    explicit ZstdSink(Sink& out);
    ~ZstdSink() override;

    void write(ByteView data) override;

    /// \pre called once, last.
    void finish();

 private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Decompresses frames that follow each other. BadFormat for broken or cut off input, or a window
/// over 32 MiB. The reader of the output bounds its length. One thread.
class ZstdSource final : public Source {
 public:
    explicit ZstdSource(std::unique_ptr<Source> in);
    ~ZstdSource() override;

    [[nodiscard]] std::size_t read(std::span<std::uint8_t> buffer) override;

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace cfs::store
