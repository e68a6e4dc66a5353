// SPDX-License-Identifier: Apache-2.0
#include "archive/outer_archive.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "base/stop.hpp"
#include "crypto/digest.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <fcntl.h>

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::archive {
namespace {

struct CloseArchive {
    void operator()(struct ::archive* reader) const { archive_read_free(reader); }
};

using Reader = std::unique_ptr<struct ::archive, CloseArchive>;

[[noreturn]] void refuse(const std::string& what) {
    throw Error(ErrorCode::BadFormat,
                "OCI archive: " + what,
                "make the archive anew, for example with: skopeo copy ... oci-archive:FILE");
}

std::string in_quotes(std::string_view name) {
    return "'" + printable(name, 300) + "'";
}

/// libarchive's warnings mean that it guessed; we do not install guesses.
void expect_ok(struct ::archive* reader, int code) {
    if (code == ARCHIVE_OK) return;
    const char* text = archive_error_string(reader);
    refuse(text != nullptr ? printable(text, 300) : "it cannot be read");
}

Reader open_reader(int fd) {
    Reader reader(archive_read_new());
    if (!reader) throw Error(ErrorCode::Internal, "setting up the archive reader");
    // By name and by code: some of libarchive's other filters start programs.
    expect_ok(reader.get(), archive_read_support_format_tar(reader.get()));
    for (const int filter : {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_ZSTD}) {
        expect_ok(reader.get(), archive_read_support_filter_by_code(reader.get(), filter));
    }
    expect_ok(reader.get(), archive_read_open_fd(reader.get(), fd, std::size_t{128} * 1024));
    return reader;
}

/// "./blobs//sha256/x" -> {"blobs", "sha256", "x"}.
std::vector<std::string> path_parts(std::string_view path) {
    if (path.empty()) refuse("an entry has no name");
    if (path.front() == '/') refuse("entry " + in_quotes(path) + " has an absolute path");
    std::vector<std::string> parts;
    for (std::size_t start = 0; start <= path.size();) {
        const std::size_t end = std::min(path.find('/', start), path.size());
        const std::string_view part = path.substr(start, end - start);
        if (part == "..") refuse("entry " + in_quotes(path) + " leaves its directory with '..'");
        if (!part.empty() && part != ".") parts.emplace_back(part);
        start = end + 1;
    }
    return parts;
}

/// A file that a layout has and that somebody may read later.
bool belongs(const std::vector<std::string>& parts) {
    if (parts.size() == 1) return parts[0] == "index.json" || parts[0] == "oci-layout";
    return parts.size() == 3 && parts[0] == "blobs" &&
           digest_from_oci(parts[1] + ":" + parts[2]).has_value();
}

class Unpacker {
 public:
    Unpacker(int archive_fd, int dir_fd, const OuterArchiveLimits& limits, std::stop_token stop)
        : reader_(open_reader(archive_fd)), dir_(dir_fd), limits_(limits), stop_(std::move(stop)) {}

    OuterArchiveReport run() {
        struct ::archive_entry* entry = nullptr;
        for (std::uint64_t count = 0;; ++count) {
            check(stop_);
            const int code = archive_read_next_header(reader_.get(), &entry);
            if (code == ARCHIVE_EOF) break;
            expect_ok(reader_.get(), code);
            if (count == limits_.max_entries) {
                refuse("more than the " + std::to_string(limits_.max_entries) + " entries allowed");
            }
            take(entry);
        }
        if (!seen_.contains("index.json")) refuse("it has no index.json, so it is no OCI layout");
        return report_;
    }

 private:
    void take(struct ::archive_entry* entry) {
        const char* name = archive_entry_pathname(entry);
        if (name == nullptr) refuse("an entry has an unreadable name");
        const std::vector<std::string> parts = path_parts(name);
        check_kind(entry, name);
        if (archive_entry_filetype(entry) == AE_IFDIR) return;  // made when a file needs them
        if (!belongs(parts)) {
            ++report_.skipped;
            return;
        }
        std::string path = parts[0];
        for (std::size_t i = 1; i < parts.size(); ++i)
            path += "/" + parts[i];
        if (!seen_.insert(path).second) refuse("entry " + in_quotes(path) + " comes twice");
        write_file(path);
    }

    static void check_kind(struct ::archive_entry* entry, const char* name) {
        const auto type = archive_entry_filetype(entry);
        if (archive_entry_hardlink(entry) != nullptr || type == AE_IFLNK) {
            refuse("entry " + in_quotes(name) +
                   " is a link; a layout has files and directories only");
        }
        if (type != AE_IFREG && type != AE_IFDIR) {
            refuse("entry " + in_quotes(name) + " is neither a file nor a directory");
        }
        if (archive_entry_sparse_count(entry) > 0)
            refuse("entry " + in_quotes(name) + " is sparse");
    }

    void write_file(const std::string& path) {
        if (const auto [parent, last] = split_parent(path); parent != ".") {
            make_dirs_at(dir_, parent, 0700);
        }
        const UniqueFd out = open_at(dir_, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        ++report_.files;
        Bytes buffer(std::size_t{256} * 1024);
        for (;;) {
            check(stop_);
            const la_ssize_t count = archive_read_data(reader_.get(), buffer.data(), buffer.size());
            if (count == 0) return;
            if (count < 0) expect_ok(reader_.get(), static_cast<int>(count));
            write_some(out.get(), ByteView(buffer).first(static_cast<std::size_t>(count)), path);
        }
    }

    void write_some(int out, ByteView data, const std::string& path) {
        if (data.size() > limits_.max_bytes - report_.bytes) {
            refuse("unpacks to more than the " + std::to_string(limits_.max_bytes) +
                   " bytes allowed");
        }
        report_.bytes += data.size();
        with_context("writing " + in_quotes(path), [&] { write_all(out, data); });
    }

    Reader reader_;
    int dir_;
    OuterArchiveLimits limits_;
    std::stop_token stop_;
    std::set<std::string> seen_;
    OuterArchiveReport report_;
};

}  // namespace

OuterArchiveReport unpack_oci_archive(int archive_fd,
                                      int dir_fd,
                                      const OuterArchiveLimits& limits,
                                      const std::stop_token& stop) {
    return Unpacker(archive_fd, dir_fd, limits, stop).run();
}

}  // namespace cfs::archive
