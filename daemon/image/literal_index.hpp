// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cfs::image {

/// Finds which of thousands of literals a text contains, in one pass over the text (Aho and
/// Corasick, 1975). One thread: all add(), then build(), then any number of find().
class LiteralIndex {
 public:
    LiteralIndex() : nodes_(1) {}

    /// \param anchored only count the literal where it starts the text
    void add(std::string_view literal, bool anchored, std::uint32_t id);

    void build();

    /// Where the search in one path stood behind each slash: the next path goes on from the last
    /// directory that both have, which saves most of the way in a tree. \pre used with one index,
    /// none is added meanwhile
    struct Search {
        struct Mark {
            std::size_t at = 0;  ///< bytes of the text
            std::uint32_t node = 0;
            std::size_t found = 0;  ///< ids up to here
        };

        std::string text;
        std::vector<Mark> marks;
        std::vector<std::uint32_t> ids;  ///< of the literals in `text`; some several times
    };

    /// Fills search.ids for `text`.
    void find(std::string_view text, Search& search) const;

 private:
    struct Node {
        std::vector<std::pair<char, std::uint32_t>> next;
        std::uint32_t depth = 0;
        std::uint32_t fail = 0;    ///< the longest other suffix of this text that is in the tree
        std::uint32_t output = 0;  ///< the nearest node on the way of fails that has ids; 0: none
        std::vector<std::uint32_t> anchored;
        std::vector<std::uint32_t> floating;

        [[nodiscard]] bool has_ids() const { return !anchored.empty() || !floating.empty(); }
    };

    [[nodiscard]] std::uint32_t child(std::uint32_t node, char letter) const;
    [[nodiscard]] std::uint32_t step(std::uint32_t node, char letter) const;
    [[nodiscard]] Search::Mark resume(std::string_view text, Search& search) const;

    std::vector<Node> nodes_;                 ///< [0] is the root
    std::array<std::uint32_t, 256> first_{};  ///< the root's children: it is asked most
};

}  // namespace cfs::image
