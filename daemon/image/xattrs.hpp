// SPDX-License-Identifier: Apache-2.0
/// \file Extended attributes of a file, as a value that costs one pointer to copy.
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace cfs::image {

/// Names in byte order; values are raw bytes. Copies share their content until one of them changes:
/// the thousands of files with one label hold it once, and who sees the same id() twice need not
/// look inside again.
class Xattrs {
 public:
    using Map = std::map<std::string, std::string, std::less<>>;
    using value_type = Map::value_type;
    using iterator = Map::const_iterator;
    using const_iterator = Map::const_iterator;

    Xattrs() = default;
    Xattrs(std::initializer_list<value_type> items) : map_(std::make_shared<Map>(items)) {}

    [[nodiscard]] bool empty() const { return map_ == nullptr || map_->empty(); }

    [[nodiscard]] std::size_t size() const { return map().size(); }

    [[nodiscard]] const_iterator begin() const { return map().begin(); }

    [[nodiscard]] const_iterator end() const { return map().end(); }

    [[nodiscard]] const_iterator find(std::string_view name) const { return map().find(name); }

    void insert_or_assign(std::string name, std::string value) {
        own().insert_or_assign(std::move(name), std::move(value));
    }

    /// False, and nothing changed, when the name is there already.
    bool try_emplace(std::string name, std::string_view value) {
        return own().try_emplace(std::move(name), value).second;
    }

    std::string& operator[](const std::string& name) { return own()[name]; }

    /// A missing name is no error.
    void erase(std::string_view name) {
        if (const auto found = find(name); found != end()) own().erase(found->first);
    }

    /// Removes what `unwanted` (of a name and a value) says.
    template <typename Predicate>
    void erase_if(Predicate unwanted) {
        for (const auto& [name, value] : map()) {
            if (!unwanted(name, value)) continue;
            std::erase_if(
                own(), [&unwanted](const auto& item) { return unwanted(item.first, item.second); });
            return;
        }
    }

    /// Equal ids mean equal content while both live; the other way round need not hold.
    [[nodiscard]] const void* id() const { return empty() ? nullptr : map_.get(); }

    bool operator==(const Xattrs& other) const {
        return id() == other.id() || map() == other.map();
    }

 private:
    [[nodiscard]] const Map& map() const {
        static const Map none;
        return map_ == nullptr ? none : *map_;
    }

    /// The content, no longer shared with others.
    Map& own() {
        if (map_ == nullptr) {
            map_ = std::make_shared<Map>();
        } else if (map_.use_count() > 1) {
            map_ = std::make_shared<Map>(*map_);
        }
        return *map_;
    }

    std::shared_ptr<Map> map_;
};

}  // namespace cfs::image
