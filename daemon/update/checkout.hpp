// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "image/tree.hpp"
#include "store/repository.hpp"

#include <stop_token>
#include <string>

namespace cfs::update {

/// Writes the directory `path` of an image's tree below `out`, a fresh empty directory, whose own
/// metadata becomes that of `path`: content, owner, mode, xattrs, mtime, hard links. Nothing is
/// synced. A `path` that the image does not have leaves `out` empty. Objects are measured before
/// they are copied.
void check_out(const store::Repository& store,
               const image::FileTree& tree,
               const std::string& path,
               int out,
               const std::stop_token& stop);

}  // namespace cfs::update
