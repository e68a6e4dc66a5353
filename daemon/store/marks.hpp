// SPDX-License-Identifier: Apache-2.0
/// \file Inside of the collector: which objects the roots reach.
#pragma once

#include "store/gc.hpp"
#include "store/parts.hpp"

#include <set>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <vector>

namespace cfs::store {

struct Marks {
    std::unordered_set<Digest> live;
    std::vector<std::string> warnings;
    /// Why the marks may be incomplete, so that nothing may be removed; normally empty.
    std::string incomplete;
};

/// \param images, streams the links of images/ and streams/ as they are now
[[nodiscard]] Marks mark_live(const Repository& repository,
                              const LinkList& images,
                              const LinkList& streams,
                              const std::vector<std::string>& extra_roots,
                              const ImageObjects& image_objects,
                              const std::stop_token& stop,
                              const std::set<std::string>& gone_refs);

/// Content of an image object, for ImageObjects.
[[nodiscard]] Bytes read_image(const Repository& repository, const Digest& image);

}  // namespace cfs::store
