// SPDX-License-Identifier: Apache-2.0
#include "net/referrers.hpp"

#include "base/error.hpp"

#include <algorithm>

namespace cfs::net {
namespace {

constexpr std::size_t kMaxPages = 32;

/// The target of the link with rel="next" in "<target>; rel=\"next\", <...>; ..."; empty: none.
std::string_view next_target(std::string_view link) {
    while (!link.empty()) {
        const auto open = link.find('<');
        const auto close = link.find('>', std::min(open, link.size()));
        if (close == std::string_view::npos) return {};
        const auto end = std::min(link.find('<', close), link.size());
        const std::string_view parameters = link.substr(close + 1, end - close - 1);
        for (const std::string_view next : {"rel=\"next\"", "rel=next"}) {
            if (parameters.find(next) != std::string_view::npos) {
                return link.substr(open + 1, close - open - 1);
            }
        }
        link = link.substr(end);
    }
    return {};
}

}  // namespace

std::string referrers_tag(const Digest& subject) {
    const std::string algorithm(to_string(subject.algorithm()));
    return algorithm.substr(0, 32) + "-" + subject.hex().substr(0, 64);
}

std::string next_page(std::string_view link, const std::string& path) {
    std::string_view target = next_target(link);
    if (target.empty()) return {};
    // Whatever host it names, this registry is asked.
    if (const auto scheme = target.find("://"); scheme < target.find_first_of("/?")) {
        target = target.substr(std::min(target.find('/', scheme + 3), target.size()));
    }
    const std::string_view query = target.substr(std::min(path.size(), target.size()));
    const bool odd =
        std::any_of(query.begin(), query.end(), [](char c) { return c <= ' ' || c > '~'; });
    if (!target.starts_with(path) || !query.starts_with('?') || odd) {
        throw Error(ErrorCode::Network,
                    "the next part of the list is said to be at '" + printable(target, 300) +
                        "', which is no part of it",
                    "the registry has a problem: tell its administrator");
    }
    return std::string(query);
}

void ReferrersList::add(const Bytes& document) {
    if (++pages_ > kMaxPages) {
        throw Error(ErrorCode::BadFormat,
                    "the list has more than " + std::to_string(kMaxPages) + " parts",
                    "the registry has a problem: tell its administrator");
    }
    for (const Descriptor& one : parse_index(document).manifests)
        add(one);
}

void ReferrersList::add(const Descriptor& descriptor) {
    if (!artifact_type_.empty() && descriptor.artifact_type != artifact_type_) return;
    if (seen_.insert(to_oci(descriptor.digest)).second) found_.push_back(descriptor);
}

}  // namespace cfs::net
