// SPDX-License-Identifier: Apache-2.0
/// \file One line of a dump: its fields, and what they say. Internal to the dump reader.
#pragma once

#include "crypto/digest.hpp"
#include "image/dump_reader.hpp"
#include "image/tree.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace cfs::image {

/// What is wrong, and where in the line; the reader turns it into an Error with line and column.
struct LineError {
    const char* at;
    std::string what;
    std::string hint;
};

/// `field` is a piece of the line.
[[noreturn]] void bad_field(std::string_view field, std::string what, std::string hint = {});

/// The eleven fixed fields, still escaped, and the rest.
struct Line {
    std::string_view path, size, mode, nlink, uid, gid, rdev, mtime, payload, content, digest;
    std::string_view xattrs;
};

/// Reads fields by the rules of one dialect. Texts that it returns live until the next call of the
/// same function.
class LineReader {
 public:
    LineReader(DumpDialect dialect, HashAlgorithm algorithm)
        : algorithm_(algorithm),
          c_(dialect != DumpDialect::Rust),
          strict_(dialect == DumpDialect::CStrict) {}

    [[nodiscard]] bool c() const { return c_; }

    [[nodiscard]] bool strict() const { return strict_; }

    /// Whether lines that follow may hold NUL bytes; whoever has searched them all says no.
    void expect_nul(bool may_hold) { may_hold_nul_ = may_hold; }

    /// The C tool takes fields that are missing at the end as empty.
    [[nodiscard]] Line split(std::string_view text) const;

    [[nodiscard]] std::string_view path(std::string_view field);

    /// Without the '@' of a hard link; all 16 bits.
    [[nodiscard]] std::uint32_t mode(std::string_view field) const;

    /// The C tool cuts numbers to 32 bits, composefs-rs refuses bigger ones.
    [[nodiscard]] std::uint32_t number32(std::string_view field, std::string_view name) const;
    [[nodiscard]] std::uint64_t number64(std::string_view field, std::string_view name) const;

    /// NLINK, UID, GID, MTIME, MODE and attributes. Equal attributes share their content.
    [[nodiscard]] Metadata metadata(const Line& line, std::uint32_t mode);

    /// "" when there is none.
    [[nodiscard]] std::string_view payload(std::string_view field);

    /// nullopt when there is none. Its length has been compared with `size`.
    [[nodiscard]] std::optional<std::string> content(std::string_view field, std::uint64_t size);

    [[nodiscard]] std::optional<Digest> digest(std::string_view field);

    /// Does `payload` name an object of our algorithm?
    [[nodiscard]] bool is_object_path(std::string_view payload) const;

 private:
    [[nodiscard]] std::uint64_t number(std::string_view field,
                                       std::string_view name,
                                       int base,
                                       std::uint64_t max) const;
    [[nodiscard]] std::string_view text(std::string_view field,
                                        std::string_view name,
                                        std::string& scratch) const;
    void read_mtime(std::string_view field, Metadata& meta) const;
    [[nodiscard]] const Xattrs& xattrs(std::string_view text);
    void add_xattr(std::string_view pair, Xattrs& xattrs, std::size_t& total) const;

    const HashAlgorithm algorithm_;
    const bool c_;
    const bool strict_;
    bool may_hold_nul_ = true;
    std::string path_;
    std::string payload_;
    std::string digest_;
    std::string last_text_;
    Xattrs last_xattrs_;
    std::unordered_map<std::string, Xattrs> known_xattrs_;
};

}  // namespace cfs::image
