// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"

namespace cfs::update {

/// A file's bytes, mapped read-only: a UKI has up to hundreds of MB, of which a parser touches
/// little. The file must not shrink meanwhile: only for files that nobody but root can write.
/// Throws BadFormat for an empty file.
class MappedFile {
 public:
    explicit MappedFile(int fd);
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile();

    /// Up to the end of `part` nothing is read again soon: its pages leave our memory.
    /// \pre `part` lies in bytes()
    void done_until(ByteView part) const;

    [[nodiscard]] ByteView bytes() const { return bytes_; }

 private:
    ByteView bytes_;
};

}  // namespace cfs::update
