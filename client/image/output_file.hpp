// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/unique_fd.hpp"

#include <string>

namespace cfs::client {

/// A file that appears under its name when it is complete: written beside it, synced, renamed.
/// Without commit() nothing is left behind. "-" is standard output, and what is no regular file (a
/// device, a pipe) is written to directly.
class OutputFile final : public Sink {
 public:
    /// InvalidArgs for a directory and for a terminal.
    explicit OutputFile(std::string path);
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile() override;

    void write(ByteView data) override;

    void commit();

 private:
    void open_direct();
    void open_temporary();
    void name_temporary();

    std::string path_;
    std::string temporary_;  ///< its name, once it has one
    UniqueFd fd_;
    bool direct_ = false;
};

}  // namespace cfs::client
