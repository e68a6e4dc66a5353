// SPDX-License-Identifier: Apache-2.0
#include "net/registries.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <utility>

namespace cfs::net {
namespace {

constexpr std::string_view kTransport = "docker://";

/// How many bytes of `text` ("host/name:tag@digest") the prefix covers; 0: it does not match.
std::size_t covered(std::string_view text, std::string_view prefix) {
    std::size_t length = prefix.size();
    if (prefix.starts_with("*.")) {
        const std::string_view host = text.substr(0, text.find_first_of(":/"));
        const std::string_view domain = prefix.substr(1);
        if (host.size() <= domain.size() || !host.ends_with(domain)) return 0;
        return host.size();
    }
    if (!text.starts_with(prefix)) return 0;
    if (text.size() == length || text[length] == '/') return length;
    const bool has_name = prefix.find('/') != std::string_view::npos;
    return has_name && (text[length] == ':' || text[length] == '@') ? length : 0;
}

/// The reference with `location` in the place of its first `length` bytes.
ImageRef moved(const ImageRef& ref, const std::string& location, std::size_t length) {
    if (location.empty()) return ref;
    const std::string text = to_string(ref).substr(kTransport.size());
    return with_context("registries.conf puts '" + printable(location) + "' in the place of '" +
                            printable(text.substr(0, length)) + "'",
                        [&] {
                            ImageRef out = parse_image_ref(std::string(kTransport) + location +
                                                           text.substr(length));
                            // A digest alone must not turn into "latest" beside it.
                            out.tag = ref.tag.empty() && ref.digest ? std::string() : out.tag;
                            return out;
                        });
}

bool is_asked(const Mirror& mirror, const ImageRef& ref) {
    if (mirror.use == MirrorUse::All) return true;
    return (mirror.use == MirrorUse::DigestOnly) == ref.digest.has_value();
}

}  // namespace

void Registries::add(std::vector<RegistryRule> rules) {
    for (RegistryRule& rule : rules) {
        const auto known = std::find_if(rules_.begin(), rules_.end(), [&](const auto& one) {
            return one.prefix == rule.prefix;
        });
        if (known == rules_.end()) {
            rules_.push_back(std::move(rule));
        } else {
            *known = std::move(rule);
        }
    }
}

std::vector<Endpoint> Registries::route(const ImageRef& ref) const {
    const std::string text = to_string(ref).substr(kTransport.size());
    const RegistryRule* best = nullptr;
    for (const RegistryRule& rule : rules_) {
        if (covered(text, rule.prefix) == 0) continue;
        if (best == nullptr || rule.prefix.size() > best->prefix.size()) best = &rule;
    }
    if (best == nullptr) return {{ref, false, false}};
    if (best->blocked) {
        throw Error(ErrorCode::RegistryBlocked,
                    "registries.conf blocks '" + printable(best->prefix) + "', and so '" +
                        printable(text, 300) + "'",
                    "name an image elsewhere, or ask who administers this machine");
    }
    const std::size_t length = covered(text, best->prefix);
    std::vector<Endpoint> out;
    for (const Mirror& mirror : best->mirrors) {
        if (!is_asked(mirror, ref)) continue;
        out.push_back({moved(ref, mirror.location, length), mirror.insecure, true});
    }
    out.push_back({moved(ref, best->location, length), best->insecure, false});
    return out;
}

}  // namespace cfs::net
