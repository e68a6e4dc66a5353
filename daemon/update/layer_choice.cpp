// SPDX-License-Identifier: Apache-2.0
#include "update/layer_choice.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace cfs::update {
namespace {

/// Every layer that could be fetched, once, whoever has it.
std::vector<const StoredLayer*> untried_layers(
    const Survey& survey, const std::function<bool(const StoredLayer&)>& is_tried) {
    std::vector<const StoredLayer*> out;
    std::set<Digest> seen;
    for (const Contents& contents : survey.contents()) {
        for (const StoredLayer& layer : contents.layers) {
            if (!is_tried(layer) && seen.insert(layer.diff_id).second) out.push_back(&layer);
        }
    }
    return out;
}

bool is_smaller(const StoredLayer* one, const StoredLayer* other) {
    return one->blob.size < other->blob.size;
}

}  // namespace

const StoredLayer* choose_layer(const Survey& survey,
                                const std::function<bool(const StoredLayer&)>& is_tried) {
    std::map<Digest, std::vector<const StoredLayer*>> holders;
    for (const StoredLayer* layer : untried_layers(survey, is_tried)) {
        if (!layer->sound) return layer;
        const std::set<Digest> objects(layer->objects.begin(), layer->objects.end());
        for (const Digest& object : objects) {
            if (survey.is_bad(object)) holders[object].push_back(layer);
        }
    }
    const StoredLayer* smallest = nullptr;
    for (const auto& [object, layers] : holders) {
        if (layers.size() == 1) return layers.front();
        const auto* least = *std::min_element(layers.begin(), layers.end(), is_smaller);
        if (smallest == nullptr || is_smaller(least, smallest)) smallest = least;
    }
    return smallest;
}

std::string layer_key(const StoredLayer& layer) {
    return (layer.sound ? "objects of " : "layer ") + to_oci(layer.diff_id);
}

bool layers_are_sound(const Contents& contents) {
    return !contents.layers.empty() &&
           std::all_of(contents.layers.begin(), contents.layers.end(), [](const auto& layer) {
               return layer.sound.has_value();
           });
}

}  // namespace cfs::update
