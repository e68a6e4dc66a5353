// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace cfs::archive {

/// Writes a tar archive in gzip (POSIX ustar, pax headers where a name needs them). One thread;
/// finish() once, at the end: without it what arrived is no archive.
class TarWriter {
 public:
    /// `sink` must outlive the writer; what it throws comes out of file() and finish().
    explicit TarWriter(Sink& sink);
    TarWriter(const TarWriter&) = delete;
    TarWriter& operator=(const TarWriter&) = delete;
    ~TarWriter();

    /// A regular file of root's, mode 0600. \param time seconds since the epoch
    void file(const std::string& path, ByteView content, std::int64_t time);

    void finish();

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace cfs::archive
