// SPDX-License-Identifier: Apache-2.0
/// \file One file or directory of a scanned tree, read through descriptors. Nothing here follows a
/// symbolic link; whoever changes the tree meanwhile gets an error, not another file's content.
#pragma once

#include "base/unique_fd.hpp"
#include "client/image/object_dir.hpp"
#include "client/image_options.hpp"
#include "crypto/fsverity.hpp"
#include "image/tree.hpp"

#include <sys/stat.h>

#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace cfs::client {

/// A directory that is being scanned; open as long as somebody still reads its files.
struct OpenDir {
    UniqueFd fd;
    std::string path;  ///< below the tree's root, "" for it

    [[nodiscard]] std::string path_of(const std::string& name) const {
        return path.empty() ? name : path + "/" + name;
    }
};

/// A regular file whose inode is still empty.
struct ScanTask {
    std::shared_ptr<const OpenDir> dir;
    std::string name;
    std::shared_ptr<image::Inode> inode;
};

/// What the threads of one scan share. Thread-safe.
class ScanState {
 public:
    ScanState(const ScanOptions& options,
              HashAlgorithm algorithm,
              bool find_links,
              std::stop_token stop);

    const ScanOptions& options;
    const HashAlgorithm algorithm;
    const std::stop_token stop;
    std::optional<ObjectDir> store;

    /// Is this the first name of its file? If not, `inode` is one to be replaced: see original().
    [[nodiscard]] bool claim(const struct stat& file, const std::shared_ptr<image::Inode>& inode);

    /// The inode that stands for the same file; nullptr when it is this one.
    [[nodiscard]] std::shared_ptr<image::Inode> original(const image::Inode* inode) const;

    [[nodiscard]] bool has_links() const { return !copies_.empty(); }

    /// Inodes that stand for others too.
    [[nodiscard]] std::unordered_set<const image::Inode*> originals() const;

    void keep(const Digest& digest, std::string content);

    [[nodiscard]] std::unordered_map<Digest, std::string> take_kept() { return std::move(kept_); }

 private:
    const bool find_links_;
    mutable std::mutex mutex_;
    std::map<std::pair<dev_t, ino_t>, std::shared_ptr<image::Inode>> files_;
    std::unordered_map<const image::Inode*, std::shared_ptr<image::Inode>> copies_;
    std::unordered_map<Digest, std::string> kept_;
};

/// Mode, owner and time.
void read_metadata(image::Metadata& meta, const struct stat& file, const ScanOptions& options);
void read_xattrs(image::Metadata& meta, int fd, const ScanOptions& options);
void read_link_xattrs(image::Metadata& meta,
                      const OpenDir& dir,
                      const std::string& name,
                      const ScanOptions& options);

/// Reads regular files; one for each thread.
class FileReader {
 public:
    explicit FileReader(ScanState& state);

    void read(ScanTask& task);

 private:
    void read_content(ScanTask& task, int fd);
    void read_small(ScanTask& task, int fd);
    void read_big(ScanTask& task, int fd);

    ScanState& state_;
    VerityHasher hasher_;
    Bytes buffer_;
};

}  // namespace cfs::client
