// SPDX-License-Identifier: Apache-2.0
/// \file Reads and parses a dump's lines ahead of who puts them into the tree. Internal to the dump
/// reader.
#pragma once

#include "image/dump_records.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

namespace cfs::image {

/// A dump that fits the first piece is parsed by the caller's thread; a longer one by a second
/// thread, some pieces ahead.
class DumpStream {
 public:
    DumpStream(Source& source, DumpDialect dialect, HashAlgorithm algorithm);
    DumpStream(const DumpStream&) = delete;
    DumpStream& operator=(const DumpStream&) = delete;
    ~DumpStream();

    /// The next lines; nullptr at the end. What it returned before is gone then. Throws what the
    /// source throws, and BadFormat for a line without end.
    [[nodiscard]] Batch* next();

 private:
    /// False at the end of the dump.
    bool produce(Batch& batch);
    [[nodiscard]] Batch* next_alone();
    void produce_all() noexcept;

    Source& source_;
    RecordMaker maker_;
    Bytes carried_;  ///< the start of a line whose end is still to be read
    bool first_ = true;
    bool at_end_ = false;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::unique_ptr<Batch>> ready_;
    std::deque<std::unique_ptr<Batch>> spare_;
    std::unique_ptr<Batch> current_;
    std::exception_ptr failure_;
    bool complete_ = false;  ///< nothing comes behind what is ready
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace cfs::image
