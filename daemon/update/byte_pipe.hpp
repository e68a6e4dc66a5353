// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <vector>

namespace cfs::update {

/// Joins a thread that pushes bytes (a download, unpacking) with one that pulls them. Holds at most
/// about `capacity` bytes; whoever is ahead waits. One writing and one reading thread.
class BytePipe {
 public:
    explicit BytePipe(std::size_t capacity) : capacity_(capacity), writer_(*this), reader_(*this) {}

    /// Throws Cancelled once the reader has gone away.
    [[nodiscard]] Sink& writer() { return writer_; }

    /// Throws the writer's error where the bytes end early.
    [[nodiscard]] Source& reader() { return reader_; }

    /// \name Whole buffers, which go from hand to hand and are not copied
    /// @{
    /// Throws Cancelled once the reader has gone away.
    void push(Bytes chunk);
    /// nullopt at the end. `used`: a buffer that is no longer needed.
    [[nodiscard]] std::optional<Bytes> pull(Bytes used);
    /// For the writer: one of the reader's used buffers, or an empty one.
    [[nodiscard]] Bytes spare();
    /// @}

    /// The writer is done: `error` is nullptr at a good end. Never blocks.
    void end_writing(std::exception_ptr error) noexcept;

    /// The reader goes away. Never blocks.
    void end_reading() noexcept;

 private:
    class Writer final : public Sink {
     public:
        explicit Writer(BytePipe& pipe) : pipe_(pipe) {}

        void write(ByteView data) override { pipe_.push(Bytes(data.begin(), data.end())); }

     private:
        BytePipe& pipe_;
    };

    class Reader final : public Source {
     public:
        explicit Reader(BytePipe& pipe) : pipe_(pipe) {}

        [[nodiscard]] std::size_t read(std::span<std::uint8_t> buffer) override {
            return pipe_.read(buffer);
        }

     private:
        BytePipe& pipe_;
    };

    std::size_t read(std::span<std::uint8_t> buffer);

    const std::size_t capacity_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Bytes> chunks_;       // under mutex_
    std::vector<Bytes> spare_;       // under mutex_
    std::size_t queued_ = 0;         // under mutex_: bytes in chunks_
    bool written_ = false;           // under mutex_
    bool reader_gone_ = false;       // under mutex_
    std::exception_ptr error_;       // under mutex_
    Bytes current_;                  // the reader's
    std::size_t current_start_ = 0;  // the reader's
    Writer writer_;
    Reader reader_;
};

}  // namespace cfs::update
