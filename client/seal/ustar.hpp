// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <string>

namespace cfs::client {

/// Writes a POSIX ustar archive whose bytes depend on the calls alone: owner 0:0, time 0, no names
/// of owners. Order: (directory | file)* finish().
class UstarWriter {
 public:
    /// `sink` must outlive the writer.
    explicit UstarWriter(Sink& sink) : sink_(sink) {}

    /// Mode 0755. \param path at most 99 bytes with its final slash, no leading one
    void directory(const std::string& path);

    /// Mode 0644. \param path at most 99 bytes
    void file(const std::string& path, ByteView content);

    void finish();

 private:
    void header(const std::string& path, char type, unsigned mode, std::uint64_t size);

    Sink& sink_;
};

}  // namespace cfs::client
