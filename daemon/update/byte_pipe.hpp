// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>

namespace cfs::update {

/// Joins a thread that pushes bytes (a download) with one that pulls them (unpacking). Holds at
/// most about `capacity` bytes; whoever is ahead waits. One writing and one reading thread.
class BytePipe {
 public:
    explicit BytePipe(std::size_t capacity) : capacity_(capacity), writer_(*this), reader_(*this) {}

    /// Throws Cancelled once the reader has gone away.
    [[nodiscard]] Sink& writer() { return writer_; }

    /// Throws the writer's error where the bytes end early.
    [[nodiscard]] Source& reader() { return reader_; }

    /// The writer is done: `error` is nullptr at a good end. Never blocks.
    void end_writing(std::exception_ptr error) noexcept;

    /// The reader goes away. Never blocks.
    void end_reading() noexcept;

 private:
    class Writer final : public Sink {
     public:
        explicit Writer(BytePipe& pipe) : pipe_(pipe) {}

        void write(ByteView data) override { pipe_.push(data); }

     private:
        BytePipe& pipe_;
    };

    class Reader final : public Source {
     public:
        explicit Reader(BytePipe& pipe) : pipe_(pipe) {}

        [[nodiscard]] std::size_t read(std::span<std::uint8_t> buffer) override {
            return pipe_.pull(buffer);
        }

     private:
        BytePipe& pipe_;
    };

    void push(ByteView data);
    std::size_t pull(std::span<std::uint8_t> buffer);

    const std::size_t capacity_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Bytes> chunks_;       // under mutex_
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
