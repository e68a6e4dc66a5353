// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.hpp"

#include <string>
#include <string_view>

namespace cfs::store {

/// Twelve random letters and digits, for names that the collectors of both implementations know.
[[nodiscard]] std::string random_alnum12();

/// A new file without a name (O_TMPFILE), or where the file system has no such thing one named
/// `.tmp-object-<12 alnum>` that is removed unless published. Mode 0644. Readable
/// and writable. Owns the descriptor; borrows the directory's. One thread at a time.
class TempFile {
 public:
    enum class Naming { Unnamed, Named };
    enum class Published { Done, Exists, NoDirectory };

    /// \param dir    directory descriptor that outlives this
    /// \param naming Named does not try O_TMPFILE
    explicit TempFile(int dir, Naming naming = Naming::Unnamed);
    TempFile(const TempFile&) = delete;
    TempFile& operator=(const TempFile&) = delete;
    ~TempFile();

    [[nodiscard]] int fd() const { return fd_.get(); }

    /// Swaps the writable descriptor for a read-only one: fs-verity wants no writer.
    void reopen_read_only();

    /// Gives the file the name `path` below the directory. Exists: something has that name.
    /// NoDirectory: a directory of `path` is missing.
    [[nodiscard]] Published publish(const std::string& path);

    /// Like publish, but an existing file of that name is replaced atomically.
    void publish_over(const std::string& path);

 private:
    /// linkat's result; errno is set.
    [[nodiscard]] int link_to(const std::string& path) const;

    int dir_;
    std::string name_;  ///< empty while unnamed
    UniqueFd fd_;
};

}  // namespace cfs::store
