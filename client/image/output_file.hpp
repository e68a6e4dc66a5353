// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/unique_fd.hpp"

#include <sys/types.h>

#include <string>

namespace cfs::client {

enum class OutputKind {
    /// Takes the place of a file. "-" is standard output, and what is no regular file (a device, a
    /// pipe) is written to directly: for a path that the caller named.
    Replace,
    /// Nothing has its name, or it fails: for a name that others can know before, in a directory
    /// that may be theirs. Nothing that is there is opened, followed or replaced.
    New,
};

/// A file that appears under its name when it is complete: written beside it, synced, renamed.
/// Without commit() nothing is left behind.
class OutputFile final : public Sink {
 public:
    /// InvalidArgs for a directory, for a terminal, and for a name that is not new.
    /// \param mode of a file that is made, less the umask
    explicit OutputFile(std::string path,
                        OutputKind kind = OutputKind::Replace,
                        mode_t mode = 0666);
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile() override;

    void write(ByteView data) override;

    /// InvalidArgs where a name that was new has been taken meanwhile.
    void commit();

 private:
    void open_direct();
    void open_temporary();
    void name_temporary();
    void replace();
    void appear();

    std::string path_;
    OutputKind kind_;
    mode_t mode_;
    std::string temporary_;  ///< its name, once it has one
    UniqueFd fd_;
    bool direct_ = false;
};

}  // namespace cfs::client
