// SPDX-License-Identifier: Apache-2.0
#include "net/challenge.hpp"

#include <algorithm>
#include <optional>

namespace cfs::net {
namespace {

constexpr std::size_t kMaxChallenges = 8;
constexpr std::size_t kMaxParameters = 16;

bool is_token_char(char c) {
    constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kOthers.find(c) != std::string_view::npos;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

class Reader {
 public:
    explicit Reader(std::string_view text) : rest_(text) {}

    void skip(std::string_view these) {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(these), rest_.size()));
    }

    [[nodiscard]] bool at(char c) const { return !rest_.empty() && rest_.front() == c; }

    bool take(char c) {
        if (!at(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }

    std::string_view token() {
        const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_token_char);
        return take_first(static_cast<std::size_t>(end - rest_.begin()));
    }

    /// The bare value of `Scheme abc/def==`, as opposed to the name in `Scheme name=value`.
    void skip_token68() {
        const auto end = std::find_if_not(
            rest_.begin(), rest_.end(), [](char c) { return is_token_char(c) || c == '/'; });
        std::string_view after = rest_.substr(static_cast<std::size_t>(end - rest_.begin()));
        after.remove_prefix(std::min(after.find_first_not_of('='), after.size()));
        const auto next = after.find_first_not_of(" \t");
        if (next == std::string_view::npos || after[next] == ',') rest_ = after;
    }

    /// A token or a quoted string; nullopt: neither, or no closing quote.
    std::optional<std::string> value() {
        if (!take('"')) {
            const std::string_view bare = token();
            return bare.empty() ? std::nullopt : std::optional(std::string(bare));
        }
        std::string out;
        while (!rest_.empty() && !at('"')) {
            if (take('\\') && rest_.empty()) break;
            out += rest_.front();
            rest_.remove_prefix(1);
        }
        return take('"') ? std::optional(out) : std::nullopt;
    }

 private:
    std::string_view take_first(std::size_t count) {
        const std::string_view out = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return out;
    }

    std::string_view rest_;
};

}  // namespace

std::vector<Challenge> parse_challenges(std::string_view field) {
    std::vector<Challenge> out;
    Reader in(field);
    for (;;) {
        in.skip(" \t,");
        const std::string name = lower(in.token());
        if (name.empty()) return out;
        in.skip(" \t");
        if (!in.take('=')) {
            if (out.size() == kMaxChallenges) return out;
            out.push_back({name, {}});
            in.skip_token68();
            continue;
        }
        in.skip(" \t");
        const auto value = in.value();
        if (!value || out.empty() || out.back().parameters.size() == kMaxParameters) return out;
        out.back().parameters.emplace(name, *value);
    }
}

}  // namespace cfs::net
