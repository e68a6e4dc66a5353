// SPDX-License-Identifier: Apache-2.0
#include "service/variant.hpp"

#include "service/bus.hpp"

#include <variant>

namespace cfs::service {
namespace {

struct ToVariant {
    template <typename T>
    sdbus::Variant operator()(const T& plain) const {
        return sdbus::Variant{plain};
    }

    sdbus::Variant operator()(const std::string& text) const {
        return sdbus::Variant{bus_text(text)};
    }

    sdbus::Variant operator()(const StringList& texts) const {
        return sdbus::Variant{to_bus(texts)};
    }

    sdbus::Variant operator()(const StringMaps& maps) const { return sdbus::Variant{to_bus(maps)}; }
};

}  // namespace

StringList to_bus(const StringList& texts) {
    StringList out;
    out.reserve(texts.size());
    for (const std::string& text : texts)
        out.push_back(bus_text(text));
    return out;
}

StringMaps to_bus(const StringMaps& maps) {
    StringMaps out = maps;
    for (auto& map : out) {
        for (auto& [key, text] : map)
            text = bus_text(text);
    }
    return out;
}

bus::VariantMap to_bus(const Dict& dict) {
    bus::VariantMap out;
    for (const auto& [key, value] : dict)
        out.emplace(key, std::visit(ToVariant{}, value));
    return out;
}

std::vector<bus::VariantMap> to_bus(const std::vector<Dict>& dicts) {
    std::vector<bus::VariantMap> out;
    out.reserve(dicts.size());
    for (const Dict& dict : dicts)
        out.push_back(to_bus(dict));
    return out;
}

}  // namespace cfs::service
