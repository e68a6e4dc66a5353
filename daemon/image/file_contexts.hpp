// SPDX-License-Identifier: Apache-2.0
/// \file SELinux' file_contexts: which label a path gets. Internal to the boot transform.
/// Format: file_contexts(5); precedence as composefs-rs has it: the last line that matches wins.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace cfs::image {

/// Labels 100,000 paths against 6,000 expressions, so an expression is rarely tried:
///  - each is filed under a literal text that every path it matches contains: the longest one
///    behind its first sign with a meaning, else what stands before that. One pass over the path
///    finds the texts in it, and so the few candidates; the last line is tried first. The pass goes
///    on from the directory that a path shares with the one before;
///  - the common forms TEXT, TEXT(/.*)? and TEXT.* are compared, not matched;
///  - the rest runs in PCRE2, compiled once and given to its JIT at the first try.
/// One thread. Throws BadFormat.
class FileContexts {
 public:
    FileContexts();
    FileContexts(FileContexts&&) noexcept;
    FileContexts& operator=(FileContexts&&) noexcept;
    ~FileContexts();

    /// Appends the lines of one file; `name` is for messages.
    void add(std::string_view text, std::string_view name);

    /// \param type the letter of ls -l: '-', 'd', 'l', 'c', 'b', 'p', 's'
    /// \returns nullptr when nothing matches or the match says <<none>>; else valid until add()
    [[nodiscard]] const std::string* lookup(std::string_view path, char type) const;

 private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace cfs::image
