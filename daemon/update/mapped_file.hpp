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

    [[nodiscard]] ByteView bytes() const { return bytes_; }

 private:
    ByteView bytes_;
};

}  // namespace cfs::update
