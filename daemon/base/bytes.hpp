// SPDX-License-Identifier: Apache-2.0
/// \file Byte ranges, little-endian loads and stores, hexadecimal text, streams of bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace cfs {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Little-endian load. \pre offset + sizeof(T) <= bytes.size(); callers check bounds first.
template <typename T>
[[nodiscard]] T load_le(ByteView bytes, std::size_t offset) {
    static_assert(std::is_unsigned_v<T>);
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        value = static_cast<T>(value | static_cast<T>(T{bytes[offset + i]} << (8 * i)));
    }
    return value;
}

template <typename T>
void store_le(std::span<std::uint8_t> bytes, std::size_t offset, T value) {
    static_assert(std::is_unsigned_v<T>);
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        bytes[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
}

/// Lowercase hex.
[[nodiscard]] std::string to_hex(ByteView bytes);

/// Accepts either case; nullopt unless `hex` is an even number of hex digits.
[[nodiscard]] std::optional<Bytes> from_hex(std::string_view hex);

/// `text` cut to `limit` bytes with everything but printable ASCII shown as \xHH, for messages
/// about hostile input.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 120);

/// Pull side of a byte stream. Not thread-safe; one reader.
class Source {
 public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;

    /// Fills up to buffer.size() bytes; 0 only at the end. Throws Error.
    [[nodiscard]] virtual std::size_t read(std::span<std::uint8_t> buffer) = 0;
};

/// Push side of a byte stream. Not thread-safe; one writer.
class Sink {
 public:
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    virtual ~Sink() = default;

    /// Takes all of `data` or throws Error.
    virtual void write(ByteView data) = 0;
};

class MemorySource final : public Source {
 public:
    /// `data` must outlive the source.
    explicit MemorySource(ByteView data) : rest_(data) {}

    [[nodiscard]] std::size_t read(std::span<std::uint8_t> buffer) override;

 private:
    ByteView rest_;
};

class MemorySink final : public Sink {
 public:
    /// Throws BadFormat once more than `limit` bytes arrived.
    explicit MemorySink(std::size_t limit) : limit_(limit) {}

    /// Takes the room for so many at once: a buffer that grows needs up to three times as much.
    void expect(std::size_t size) { bytes_.reserve(size); }

    void write(ByteView data) override;

    [[nodiscard]] const Bytes& bytes() const { return bytes_; }

    [[nodiscard]] Bytes take() { return std::move(bytes_); }

 private:
    std::size_t limit_;
    Bytes bytes_;
};

/// Pumps `source` into `sink` until its end; returns the number of bytes.
std::uint64_t copy_stream(Source& source, Sink& sink);

}  // namespace cfs
