// SPDX-License-Identifier: Apache-2.0
#include "archive/tar_writer.hpp"

#include "base/error.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <exception>

namespace cfs::archive {

struct TarWriter::State {
    struct Free {
        void operator()(struct ::archive* writer) const { archive_write_free(writer); }
    };

    explicit State(Sink& to) : sink(to), writer(archive_write_new()) {}

    Sink& sink;
    std::exception_ptr failed;  ///< of the sink, across libarchive
    std::unique_ptr<struct ::archive, Free> writer;
};

namespace {

struct FreeEntry {
    void operator()(::archive_entry* entry) const { archive_entry_free(entry); }
};

}  // namespace

/// libarchive's; -1 stops it.
template <typename State>
static la_ssize_t pass_on(struct ::archive*,
                          void* data,
                          const void* bytes,
                          std::size_t size) noexcept {
    auto* const state = static_cast<State*>(data);
    // After a failure it would flush what it still has.
    if (state->failed) return -1;
    try {
        state->sink.write(ByteView(static_cast<const std::uint8_t*>(bytes), size));
        return static_cast<la_ssize_t>(size);
    } catch (...) {
        state->failed = std::current_exception();
        return -1;
    }
}

template <typename State>
static void expect_ok(const State& state, int code) {
    if (state.failed) std::rethrow_exception(state.failed);
    if (code == ARCHIVE_OK) return;
    const char* const text = archive_error_string(state.writer.get());
    throw Error(ErrorCode::Io,
                std::string("writing an archive: ") + (text != nullptr ? text : "unknown reason"));
}

TarWriter::TarWriter(Sink& sink) : state_(std::make_unique<State>(sink)) {
    if (!state_->writer) throw Error(ErrorCode::Internal, "setting up the archive writer");
    struct ::archive* const writer = state_->writer.get();
    expect_ok(*state_, archive_write_add_filter_gzip(writer));
    expect_ok(*state_, archive_write_set_format_pax_restricted(writer));
    // No padding of the last block: a pipe's reader gets just the archive.
    expect_ok(*state_, archive_write_set_bytes_in_last_block(writer, 1));
    expect_ok(*state_, archive_write_open(writer, state_.get(), nullptr, pass_on<State>, nullptr));
}

TarWriter::~TarWriter() {
    // Freeing closes: nothing more goes to the sink.
    if (!state_->failed) state_->failed = std::make_exception_ptr(Error(ErrorCode::Cancelled, ""));
}

void TarWriter::file(const std::string& path, ByteView content, std::int64_t time) {
    const std::unique_ptr<::archive_entry, FreeEntry> entry(archive_entry_new());
    if (!entry) throw Error(ErrorCode::Internal, "setting up an archive entry");
    archive_entry_set_pathname(entry.get(), path.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0600);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    archive_entry_set_mtime(entry.get(), time, 0);
    struct ::archive* const writer = state_->writer.get();
    expect_ok(*state_, archive_write_header(writer, entry.get()));
    const la_ssize_t written = archive_write_data(writer, content.data(), content.size());
    const bool whole = written == static_cast<la_ssize_t>(content.size());
    expect_ok(*state_, whole ? ARCHIVE_OK : ARCHIVE_FATAL);
}

void TarWriter::finish() {
    expect_ok(*state_, archive_write_close(state_->writer.get()));
}

}  // namespace cfs::archive
