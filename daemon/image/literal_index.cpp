// SPDX-License-Identifier: Apache-2.0
#include "image/literal_index.hpp"

#include <algorithm>

namespace cfs::image {

void LiteralIndex::add(std::string_view literal, bool anchored, std::uint32_t id) {
    std::uint32_t node = 0;
    for (const char letter : literal) {
        std::uint32_t next = child(node, letter);
        if (next == 0) {
            next = static_cast<std::uint32_t>(nodes_.size());
            const std::uint32_t depth = nodes_[node].depth + 1;
            if (node == 0) first_[static_cast<unsigned char>(letter)] = next;
            nodes_[node].next.emplace_back(letter, next);
            nodes_.emplace_back().depth = depth;
        }
        node = next;
    }
    auto& ids = anchored ? nodes_[node].anchored : nodes_[node].floating;
    ids.push_back(id);
}

std::uint32_t LiteralIndex::child(std::uint32_t node, char letter) const {
    if (node == 0) return first_[static_cast<unsigned char>(letter)];
    for (const auto& [known, next] : nodes_[node].next) {
        if (known == letter) return next;
    }
    return 0;
}

std::uint32_t LiteralIndex::step(std::uint32_t node, char letter) const {
    for (;;) {
        const std::uint32_t next = child(node, letter);
        if (next != 0 || node == 0) return next;
        node = nodes_[node].fail;
    }
}

/// Breadth first: a node's fail is shallower than the node, so it is complete when needed.
void LiteralIndex::build() {
    std::vector<std::uint32_t> order = {0};
    for (std::size_t i = 0; i < order.size(); ++i) {
        const std::uint32_t node = order[i];
        for (const auto& [letter, next] : nodes_[node].next) {
            const std::uint32_t fail = node == 0 ? 0 : step(nodes_[node].fail, letter);
            nodes_[next].fail = fail;
            nodes_[next].output = nodes_[fail].has_ids() ? fail : nodes_[fail].output;
            order.push_back(next);
        }
    }
}

LiteralIndex::Search::Mark LiteralIndex::resume(std::string_view text, Search& search) const {
    const auto end =
        std::mismatch(text.begin(), text.end(), search.text.begin(), search.text.end());
    const auto common = static_cast<std::size_t>(end.first - text.begin());
    while (!search.marks.empty() && search.marks.back().at > common)
        search.marks.pop_back();
    if (search.marks.empty()) {
        search.ids = nodes_[0].anchored;
        search.ids.insert(search.ids.end(), nodes_[0].floating.begin(), nodes_[0].floating.end());
        search.marks.push_back({0, 0, search.ids.size()});
    }
    const Search::Mark from = search.marks.back();
    search.ids.resize(from.found);
    search.text.replace(from.at, search.text.npos, text.substr(from.at));
    return from;
}

void LiteralIndex::find(std::string_view text, Search& search) const {
    const auto append = [&search](const std::vector<std::uint32_t>& more) {
        search.ids.insert(search.ids.end(), more.begin(), more.end());
    };
    const Search::Mark from = resume(text, search);
    std::uint32_t node = from.node;
    for (std::size_t at = from.at; at < text.size(); ++at) {
        node = step(node, text[at]);
        if (nodes_[node].depth == at + 1) append(nodes_[node].anchored);
        const std::uint32_t first =
            node != 0 && nodes_[node].has_ids() ? node : nodes_[node].output;
        for (std::uint32_t found = first; found != 0; found = nodes_[found].output) {
            append(nodes_[found].floating);
        }
        if (text[at] == '/') search.marks.push_back({at + 1, node, search.ids.size()});
    }
}

}  // namespace cfs::image
