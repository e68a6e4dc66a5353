// SPDX-License-Identifier: Apache-2.0
#include "client/seal/layout_writer.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "client/seal/documents.hpp"
#include "crypto/hasher.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>

namespace cfs::client {
namespace {

constexpr const char* kLayoutFile = "oci-layout";
constexpr const char* kIndexFile = "index.json";

/// A file under a temporary name that disappears unless it is kept.
class PendingFile {
 public:
    PendingFile(int dir, std::string name)
        : dir_(dir),
          name_(".tmp-" + std::to_string(::getpid()) + "-" + std::move(name)),
          fd_(open_at(dir, name_, O_WRONLY | O_CREAT | O_TRUNC, 0644)) {}

    PendingFile(const PendingFile&) = delete;
    PendingFile& operator=(const PendingFile&) = delete;

    ~PendingFile() {
        if (fd_) ::unlinkat(dir_, name_.c_str(), 0);
    }

    [[nodiscard]] int fd() const { return fd_.get(); }

    void keep_as(const std::string& name) {
        if (::renameat(dir_, name_.c_str(), dir_, name.c_str()) != 0) {
            throw_errno("naming the blob '" + name + "'");
        }
        fd_.reset();
    }

 private:
    int dir_;
    std::string name_;
    UniqueFd fd_;
};

/// "sha256/<hex>"; its directory is made when missing.
std::string blob_dir(int blobs, const Digest& digest) {
    const std::string algorithm(to_string(digest.algorithm()));
    make_dirs_at(blobs, algorithm, 0755);
    return algorithm;
}

Digest hash_file(HashAlgorithm algorithm, int fd) {
    Hasher hasher(algorithm);
    Bytes buffer(std::size_t{1} << 20);
    while (const std::size_t n = read_some(fd, buffer))
        hasher.update(ByteView(buffer).first(n));
    return hasher.finish();
}

UniqueFd open_layout_dir(const std::string& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    UniqueFd dir = open_root(path);
    if (!stat_at(dir.get(), kLayoutFile) && !list_dir(dir.get()).empty()) {
        throw Error(ErrorCode::InvalidArgs,
                    "'" + path + "' is neither empty nor an OCI layout (it has no 'oci-layout')",
                    "choose another directory");
    }
    return dir;
}

}  // namespace

LayoutWriter::LayoutWriter(const std::string& path) : path_(path), dir_(open_layout_dir(path)) {
    if (::flock(dir_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) throw_errno("locking '" + path + "'");
        throw Error(ErrorCode::Busy, "another process writes to '" + path + "'", "try again later");
    }
    if (!stat_at(dir_.get(), kLayoutFile)) {
        replace_file_at(
            dir_.get(), kLayoutFile, as_bytes(R"({"imageLayoutVersion":"1.0.0"})"), 0644);
    }
    make_dirs_at(dir_.get(), "blobs", 0755);
    blobs_ = open_dir_at(dir_.get(), "blobs");
}

bool LayoutWriter::has_blob(const net::Descriptor& blob) const {
    const std::string name = blob_dir(blobs_.get(), blob.digest) + "/" + blob.digest.hex();
    const std::optional<UniqueFd> file = find_at(blobs_.get(), name, O_RDONLY);
    return file && file_size(file->get()) == blob.size &&
           hash_file(blob.digest.algorithm(), file->get()) == blob.digest;
}

void LayoutWriter::put_blob(const net::Descriptor& blob, ByteView content) {
    if (has_blob(blob)) return;
    const UniqueFd dir = open_dir_at(blobs_.get(), blob_dir(blobs_.get(), blob.digest));
    PendingFile file(dir.get(), blob.digest.hex());
    write_all(file.fd(), content);
    file.keep_as(blob.digest.hex());
}

void LayoutWriter::copy_blob(net::ImageSource& source,
                             const net::Descriptor& blob,
                             const std::stop_token& stop) {
    if (has_blob(blob)) return;
    const UniqueFd dir = open_dir_at(blobs_.get(), blob_dir(blobs_.get(), blob.digest));
    PendingFile file(dir.get(), blob.digest.hex());
    FdSink sink(file.fd());
    source.fetch_blob(blob, sink, stop);
    file.keep_as(blob.digest.hex());
}

void LayoutWriter::set_tag(const std::string& tag, const net::Descriptor& manifest) {
    sync_file_system(dir_.get(), path_);
    std::optional<Bytes> old;
    if (stat_at(dir_.get(), kIndexFile)) {
        old = read_file_at(dir_.get(), kIndexFile, net::kMaxDocumentBytes);
    }
    replace_file_at(dir_.get(), kIndexFile, index_with_manifest(old, manifest, tag), 0644);
}

}  // namespace cfs::client
