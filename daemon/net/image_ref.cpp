// SPDX-License-Identifier: Apache-2.0
#include "net/image_ref.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <utility>

namespace cfs::net {
namespace {

constexpr std::size_t kMaxText = 8192;
constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxTag = 128;

[[noreturn]] void refuse(std::string_view text, const std::string& problem) {
    throw Error(ErrorCode::InvalidArgs,
                "image reference '" + printable(text, 300) + "': " + problem,
                "write it like oci:/srv/image:stable, oci-archive:/srv/image.tar or "
                "docker://registry.example.com/team/os:stable");
}

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_alnum(char c) {
    return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}

bool valid_tag(std::string_view tag) {
    return !tag.empty() && tag.size() <= kMaxTag && (is_alnum(tag[0]) || tag[0] == '_') &&
           std::all_of(tag.begin(), tag.end(), [](char c) {
               return is_alnum(c) || c == '_' || c == '.' || c == '-';
           });
}

/// distribution-spec: [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool valid_component(std::string_view part) {
    std::size_t at = 0;
    const auto word = [&] {
        const std::size_t start = at;
        while (at < part.size() && (is_lower(part[at]) || is_digit(part[at])))
            ++at;
        return at > start;
    };
    if (!word()) return false;
    while (at < part.size()) {
        const char separator = part[at];
        const std::size_t start = at;
        while (at < part.size() && part[at] == separator)
            ++at;
        const std::size_t count = at - start;
        const bool fine = separator == '-' || (separator == '.' && count == 1) ||
                          (separator == '_' && count <= 2);
        if (!fine || !word()) return false;
    }
    return true;
}

bool valid_name(std::string_view name) {
    if (name.size() > kMaxName) return false;
    for (std::size_t start = 0; start <= name.size();) {
        const std::size_t end = std::min(name.find('/', start), name.size());
        if (!valid_component(name.substr(start, end - start))) return false;
        start = end + 1;
    }
    return true;
}

bool valid_port(std::string_view port) {
    if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit)) {
        return false;
    }
    const int value = std::stoi(std::string(port));
    return value >= 1 && value <= 65535;
}

bool valid_host(std::string_view host) {
    std::string_view rest;
    std::string_view address;
    if (host.starts_with('[')) {
        const auto end = host.find(']');
        if (end == std::string_view::npos || end < 3) return false;
        address = host.substr(1, end - 1);
        rest = host.substr(end + 1);
        if (!std::all_of(address.begin(), address.end(), [](char c) {
                return is_digit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
            })) {
            return false;
        }
    } else {
        const auto colon = std::min(host.find(':'), host.size());
        address = host.substr(0, colon);
        rest = host.substr(colon);
        if (address.empty() || address.front() == '.' || address.front() == '-' ||
            address.find("..") != std::string_view::npos ||
            !std::all_of(address.begin(), address.end(), [](char c) {
                return is_lower(c) || is_digit(c) || c == '.' || c == '-';
            })) {
            return false;
        }
    }
    return rest.empty() || (rest.front() == ':' && valid_port(rest.substr(1)));
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

ImageRef parse_path(std::string_view text, std::string_view rest, Transport transport) {
    ImageRef ref;
    ref.transport = transport;
    const auto colon = rest.rfind(':');
    const bool has_tag =
        colon != std::string_view::npos && rest.find('/', colon) == std::string_view::npos;
    ref.path = rest.substr(0, has_tag ? colon : rest.size());
    if (ref.path.empty()) refuse(text, "no path after the transport");
    if (!has_tag) return ref;
    ref.tag = rest.substr(colon + 1);
    if (!valid_tag(ref.tag)) {
        refuse(text,
               "'" + printable(ref.tag) +
                   "' is no tag (up to 128 letters, digits, '_', '.', '-'); end a path that has a "
                   "colon in its last part with a slash or a tag");
    }
    return ref;
}

/// Cuts "@DIGEST" and ":TAG" off the end of `rest`.
void take_suffixes(std::string_view text, std::string_view& rest, ImageRef& ref) {
    if (const auto at = rest.find('@'); at != std::string_view::npos) {
        ref.digest = digest_from_oci(rest.substr(at + 1));
        if (!ref.digest) {
            refuse(
                text,
                "'" + printable(rest.substr(at + 1)) + "' is no digest (sha256:<64 hex digits>)");
        }
        rest = rest.substr(0, at);
    }
    if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
        ref.tag = rest.substr(colon + 1);
        if (!valid_tag(ref.tag)) refuse(text, "'" + printable(ref.tag) + "' is no tag");
        rest = rest.substr(0, colon);
    } else if (!ref.digest) {
        ref.tag = "latest";
    }
}

ImageRef parse_registry(std::string_view text, std::string_view rest) {
    ImageRef ref;
    ref.transport = Transport::Registry;
    const auto slash = rest.find('/');
    if (slash == std::string_view::npos) {
        refuse(text, "no '/' between the registry's host and the image's name");
    }
    ref.host = lower(rest.substr(0, slash));
    if (!valid_host(ref.host)) {
        refuse(text, "'" + printable(ref.host) + "' is no registry host (HOST or HOST:PORT)");
    }
    std::string_view name = rest.substr(slash + 1);
    take_suffixes(text, name, ref);
    if (!valid_name(name)) {
        refuse(text,
               "'" + printable(name) +
                   "' is no image name (lower-case letters, digits, single '.', '_' and '-' "
                   "between them, parts separated by '/')");
    }
    ref.name = name;
    return ref;
}

}  // namespace

ImageRef parse_image_ref(std::string_view text) {
    if (text.size() > kMaxText) refuse(text, "longer than 8192 bytes");
    if (text.find('\0') != std::string_view::npos) refuse(text, "a zero byte in it");
    for (const auto& [prefix, transport] : {std::pair{"oci:", Transport::OciLayout},
                                            std::pair{"oci-archive:", Transport::OciArchive}}) {
        const std::string_view start = prefix;
        if (text.starts_with(start)) return parse_path(text, text.substr(start.size()), transport);
    }
    constexpr std::string_view kDocker = "docker://";
    if (text.starts_with(kDocker)) return parse_registry(text, text.substr(kDocker.size()));
    refuse(text, "it does not start with oci:, oci-archive: or docker://");
}

std::string to_string(const ImageRef& ref) {
    const std::string tag = ref.tag.empty() ? "" : ":" + ref.tag;
    switch (ref.transport) {
        case Transport::OciLayout:
        case Transport::OciArchive: {
            const bool layout = ref.transport == Transport::OciLayout;
            return (layout ? "oci:" : "oci-archive:") + ref.path + tag;
        }
        case Transport::Registry:
            break;
    }
    const std::string digest = ref.digest ? "@" + to_oci(*ref.digest) : "";
    return "docker://" + ref.host + "/" + ref.name + tag + digest;
}

}  // namespace cfs::net
