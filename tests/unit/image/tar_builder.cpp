// SPDX-License-Identifier: Apache-2.0
#include "unit/image/tar_builder.hpp"

#include <array>
#include <cstdio>

namespace cfs::image::test {
namespace {

std::string octal(std::uint64_t value, int digits) {
    std::array<char, 32> text{};
    (void)std::snprintf(
        text.data(), text.size(), "%0*llo", digits, static_cast<unsigned long long>(value));
    return text.data();
}

std::string_view magic_text(TarBuilder::Magic magic) {
    switch (magic) {
        case TarBuilder::Magic::Ustar:
            return {"ustar\00000", 8};
        case TarBuilder::Magic::Gnu:
            return {"ustar  \0", 8};
        case TarBuilder::Magic::V7:
            break;
    }
    return {};
}

}  // namespace

std::string pax_record(const std::string& key, const std::string& value) {
    const std::size_t rest = key.size() + value.size() + 3;
    std::size_t length = rest + 1;
    while (std::to_string(length).size() + rest != length)
        ++length;
    return std::to_string(length) + ' ' + key + '=' + value + '\n';
}

TarBuilder& TarBuilder::header(const Header& header) {
    std::string block(512, '\0');
    const auto put = [&block](std::size_t offset, std::string_view text) {
        block.replace(offset, text.size(), text);
    };
    put(0, header.name);
    put(100, header.mode);
    put(108, header.uid);
    put(116, header.gid);
    put(124, octal(header.size, 11));
    put(136, header.mtime);
    put(148, "        ");
    put(156, {&header.type, 1});
    put(157, header.link);
    put(257, magic_text(header.magic));
    put(329, header.major);
    put(337, header.minor);
    put(345, header.prefix);
    std::uint64_t sum = 0;
    for (const char c : block)
        sum += static_cast<unsigned char>(c);
    put(148, octal(sum, 6) + std::string(1, '\0'));
    return raw(block);
}

TarBuilder& TarBuilder::raw(std::string_view bytes) {
    text_ += bytes;
    return *this;
}

TarBuilder& TarBuilder::payload(std::string_view bytes) {
    text_ += bytes;
    text_.append((512 - bytes.size() % 512) % 512, '\0');
    return *this;
}

TarBuilder& TarBuilder::file(const std::string& name, std::string_view content) {
    return header({.name = name, .size = content.size()}).payload(content);
}

TarBuilder& TarBuilder::directory(const std::string& name) {
    return header({.name = name, .type = '5', .mode = "0000755"});
}

TarBuilder& TarBuilder::symlink(const std::string& name, const std::string& target) {
    return header({.name = name, .type = '2', .link = target});
}

TarBuilder& TarBuilder::hard_link(const std::string& name, const std::string& target) {
    return header({.name = name, .type = '1', .link = target});
}

TarBuilder& TarBuilder::pax(const std::string& key, const std::string& value) {
    return pax_records(pax_record(key, value));
}

TarBuilder& TarBuilder::pax_records(const std::string& records, char type) {
    return header({.name = "PaxHeader", .type = type, .size = records.size()}).payload(records);
}

TarBuilder& TarBuilder::gnu_long(char type, const std::string& text) {
    const std::string ended = text + '\0';
    return header(
               {.name = "././@LongLink", .type = type, .size = ended.size(), .magic = Magic::Gnu})
        .payload(ended);
}

TarBuilder& TarBuilder::end() {
    text_.append(1024, '\0');
    return *this;
}

}  // namespace cfs::image::test
