// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"

#include <functional>

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

    /// Nothing of `part` is read again soon: its pages leave our memory, and come back when they
    /// are touched. What does not lie in bytes() is ignored.
    void done_with(ByteView part) const;

    /// The same as a function for who hashes. It must not outlive this.
    [[nodiscard]] std::function<void(ByteView)> release_behind() const {
        return [this](ByteView part) { done_with(part); };
    }

    [[nodiscard]] ByteView bytes() const { return bytes_; }

 private:
    ByteView bytes_;
};

}  // namespace cfs::update
