// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/unique_fd.hpp"
#include "net/image_source.hpp"

#include <stop_token>
#include <string>

namespace cfs::client {

/// A directory in OCI image layout that is made or added to. Blobs come first and the index last,
/// each replaced atomically: whenever the process dies, what the index names is whole. Holds an
/// exclusive lock on the directory while it lives, so that two writers do not lose a tag.
class LayoutWriter {
 public:
    /// Makes the directory and its parents when missing. InvalidArgs when it holds something else
    /// than a layout, Busy while another writer has it.
    explicit LayoutWriter(const std::string& path);

    /// Keeps a blob that is there and sound.
    void put_blob(const net::Descriptor& blob, ByteView content);
    void copy_blob(net::ImageSource& source,
                   const net::Descriptor& blob,
                   const std::stop_token& stop);

    /// Blobs are durable before the index that names them.
    void set_tag(const std::string& tag, const net::Descriptor& manifest);

 private:
    [[nodiscard]] bool has_blob(const net::Descriptor& blob) const;

    std::string path_;
    UniqueFd dir_;
    UniqueFd blobs_;
};

}  // namespace cfs::client
