// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "update/survey.hpp"

#include <functional>
#include <string>

namespace cfs::update {

/// The layer to fetch next so that as little as possible is fetched in all: one whose splitstream
/// is lost; else one that alone holds a bad object; else the smallest that holds one. nullptr: none
/// would help.
/// \param is_tried was it fetched, or could it not be?
[[nodiscard]] const StoredLayer* choose_layer(
    const Survey& survey, const std::function<bool(const StoredLayer&)>& is_tried);

/// What a try to fetch it is remembered by: again once its splitstream is sound, since only then
/// its objects are known.
[[nodiscard]] std::string layer_key(const StoredLayer& layer);

/// The splitstreams of all layers; what they name may be missing.
[[nodiscard]] bool layers_are_sound(const Contents& contents);

}  // namespace cfs::update
