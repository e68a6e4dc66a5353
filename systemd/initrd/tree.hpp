// SPDX-License-Identifier: Apache-2.0
/// \file The tree that becomes the root: it grows below a private mount of its own, and moves to
/// its place when it is whole.
#pragma once

#include "base/unique_fd.hpp"

#include <string>
#include <utility>

namespace cfs::initrd {

/// Opens `path` below `dir`, following links that stay below it (the store's and state's links do).
/// NotFound if missing.
[[nodiscard]] UniqueFd open_linked(int dir, const std::string& path, int flags);

/// A mount of what `dir` shows, everything mounted below it included; attached nowhere.
[[nodiscard]] UniqueFd clone_mount(int dir, const std::string& name);

/// No device files and no set-user-ID programs in this mount.
void restrict_mount(int mount, const std::string& name);

/// Makes the file system that is mounted at `path` writable, if it is not.
void make_writable(int dir, const std::string& path);

/// A tmpfs below DIR that no other mount namespace or peer sees; gone with this object, and with it
/// all that is still mounted there.
class Scaffold {
 public:
    explicit Scaffold(const std::string& dir);

    Scaffold(const Scaffold&) = delete;
    Scaffold& operator=(const Scaffold&) = delete;
    ~Scaffold();

    [[nodiscard]] const std::string& path() const { return path_; }

    /// Where the new root grows.
    [[nodiscard]] std::string root() const { return path_ + "/root"; }

    /// Mounts on the new root, or on a directory in it. \param name "" or "etc"
    void attach(int mount, const std::string& name) const;

    /// An overlay over the new root's directory `name`, on it. \param layers has upper/ and work/
    void overlay(int layers, const std::string& name, const std::string& source) const;

    /// The same with layers in memory.
    void transient(const std::string& name, const std::string& source) const;

    /// The new root goes to `target`, with everything on it.
    void move_root(const std::string& target) const;

 private:
    struct Place {};
    Scaffold(Place /*unused*/, std::string path) : path_(std::move(path)) {}

    std::string path_;
    UniqueFd fd_;
};

}  // namespace cfs::initrd
