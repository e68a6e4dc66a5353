// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"

#include "base/error.hpp"

#include <algorithm>

namespace cfs {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::string to_hex(ByteView bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const std::uint8_t b : bytes) {
        out.push_back(kHexDigits[b >> 4]);
        out.push_back(kHexDigits[b & 15]);
    }
    return out;
}

std::optional<Bytes> from_hex(std::string_view hex) {
    if (hex.size() % 2 != 0) return std::nullopt;
    Bytes out;
    out.reserve(hex.size() / 2);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = hex_value(hex[i]);
        const int low = hex_value(hex[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out.push_back(static_cast<std::uint8_t>(high * 16 + low));
    }
    return out;
}

std::string printable(std::string_view text, std::size_t limit) {
    std::string out;
    for (const char c : text.substr(0, limit)) {
        const auto byte = static_cast<std::uint8_t>(c);
        if (byte >= 0x20 && byte < 0x7f) {
            out.push_back(c);
        } else {
            out += "\\x";
            out += to_hex({&byte, 1});
        }
    }
    if (text.size() > limit) out += "...";
    return out;
}

std::size_t MemorySource::read(std::span<std::uint8_t> buffer) {
    const std::size_t n = std::min(buffer.size(), rest_.size());
    std::copy_n(rest_.begin(), n, buffer.begin());
    rest_ = rest_.subspan(n);
    return n;
}

void MemorySink::write(ByteView data) {
    if (data.size() > limit_ - bytes_.size()) {
        throw Error(ErrorCode::BadFormat,
                    "more than the " + std::to_string(limit_) + " bytes allowed here",
                    "the sender is broken or hostile: check the image reference");
    }
    bytes_.insert(bytes_.end(), data.begin(), data.end());
}

std::uint64_t copy_stream(Source& source, Sink& sink) {
    std::uint64_t total = 0;
    Bytes buffer(std::size_t{256} * 1024);
    while (const std::size_t n = source.read(buffer)) {
        sink.write(ByteView(buffer).first(n));
        total += n;
    }
    return total;
}

}  // namespace cfs
