// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace cfs::image::test {

/// Puts archives together field by field, wrong ones too. Each call appends.
class TarBuilder {
 public:
    enum class Magic { Ustar, Gnu, V7 };

    struct Header {
        std::string name{};
        char type = '0';
        std::string link{};
        std::uint64_t size = 0;
        std::string mode = "0000644";
        std::string uid = "0000000";
        std::string gid = "0000000";
        std::string mtime = "00000000000";
        std::string major = "0000000";
        std::string minor = "0000000";
        std::string prefix{};
        Magic magic = Magic::Ustar;
    };

    TarBuilder& header(const Header& header);
    TarBuilder& raw(std::string_view bytes);
    TarBuilder& payload(std::string_view bytes);

    TarBuilder& file(const std::string& name, std::string_view content);
    TarBuilder& directory(const std::string& name);
    TarBuilder& symlink(const std::string& name, const std::string& target);
    TarBuilder& hard_link(const std::string& name, const std::string& target);
    /// One PAX header with one record.
    TarBuilder& pax(const std::string& key, const std::string& value);
    TarBuilder& pax_records(const std::string& records, char type = 'x');
    TarBuilder& gnu_long(char type, const std::string& text);
    TarBuilder& end();

    [[nodiscard]] ByteView bytes() const { return as_bytes(text_); }

    [[nodiscard]] std::string& text() { return text_; }

 private:
    std::string text_;
};

/// "LEN KEY=VALUE\n" with the length that counts itself.
[[nodiscard]] std::string pax_record(const std::string& key, const std::string& value);

}  // namespace cfs::image::test
