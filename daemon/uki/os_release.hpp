// SPDX-License-Identifier: Apache-2.0
/// \file os-release(5) text: assignments with shell-like quoting, and the fields that boot loaders
/// and this project read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace cfs::uki {

inline constexpr std::size_t kMaxOsReleaseSize = std::size_t{64} * 1024;

/// A value type. Missing fields read as empty strings.
class OsRelease {
 public:
    using Fields = std::map<std::string, std::string, std::less<>>;

    OsRelease() = default;

    /// Throws BadFormat (with the line number) on NUL or other control bytes, bytes that are not
    /// UTF-8, a line that is no assignment, an open quote, text behind a closing quote, or more
    /// than kMaxOsReleaseSize. Of a key given twice the last counts, as in a shell and in
    /// systemd-boot. Nothing is ever expanded.
    [[nodiscard]] static OsRelease parse(std::string_view text);

    [[nodiscard]] const Fields& fields() const { return fields_; }

    /// Empty when missing.
    [[nodiscard]] const std::string& get(std::string_view key) const;

    [[nodiscard]] const std::string& id() const { return get("ID"); }

    [[nodiscard]] const std::string& image_id() const { return get("IMAGE_ID"); }

    /// The first of IMAGE_VERSION, VERSION, VERSION_ID, BUILD_ID: the loader's rule.
    [[nodiscard]] const std::string& version() const;

    /// IMAGE_ID, else ID: entries of one sort key compete by version.
    [[nodiscard]] const std::string& sort_key() const;

    /// The first of PRETTY_NAME, IMAGE_ID, NAME, ID: the title in the loader's menu. A loader does
    /// not list a UKI for which this is empty.
    [[nodiscard]] const std::string& pretty_name() const;

    /// CFS_SECURITY_VERSION; nullopt when missing. Throws BadFormat unless a decimal integer below
    /// 2^63.
    [[nodiscard]] std::optional<std::uint64_t> security_version() const;

    bool operator==(const OsRelease&) const = default;

 private:
    Fields fields_;
};

}  // namespace cfs::uki
