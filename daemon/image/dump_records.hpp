// SPDX-License-Identifier: Apache-2.0
/// \file The lines of a dump, parsed one by one: all that can be said without the tree. Internal to
/// the dump reader.
#pragma once

#include "base/bytes.hpp"
#include "image/dump_line.hpp"
#include "image/text_arena.hpp"
#include "image/tree.hpp"

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace cfs::image {

/// What one line says. Texts lie in the batch.
struct Record {
    std::string_view line;
    std::string_view path;                 ///< unescaped, as it is spelled
    std::string_view target;               ///< set for hard links
    std::size_t mode_column = 0;           ///< of the field, from 0
    std::size_t payload_column = 0;        ///< the same
    std::shared_ptr<Inode> leaf;           ///< set for files
    std::unique_ptr<Directory> directory;  ///< set for directories
};

/// Lines that follow each other. The first error ends it; it is about the line behind `records`.
struct Batch {
    Bytes buffer;
    std::string_view text;  ///< whole lines of the buffer
    TextArena arena;
    std::vector<Record> records;
    std::optional<LineError> error;
    std::string_view error_line;
};

class RecordMaker {
 public:
    RecordMaker(DumpDialect dialect, HashAlgorithm algorithm) : fields_(dialect, algorithm) {}

    /// Parses the lines of batch.text. `first`: they are the dump's first ones; `terminated`: the
    /// last one ends with LF.
    void parse(Batch& batch, bool first, bool terminated);

 private:
    [[nodiscard]] Record make(std::string_view text, Batch& batch, bool root);
    [[nodiscard]] std::unique_ptr<Directory> make_directory(const Line& line, std::uint32_t mode);
    [[nodiscard]] std::string_view link_target(const Line& line, Batch& batch);
    [[nodiscard]] std::shared_ptr<Inode> make_leaf(const Line& line,
                                                   std::uint32_t mode,
                                                   FileType type);
    void read_special(const Line& line, Inode& leaf);
    void read_symlink(const Line& line, Inode& leaf);
    void read_regular(const Line& line, Inode& leaf);
    void read_regular_rust(const Line& line, std::string_view payload, Inode& leaf);
    void check_no_device(const Line& line) const;

    LineReader fields_;
};

}  // namespace cfs::image
