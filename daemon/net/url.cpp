// SPDX-License-Identifier: Apache-2.0
#include "net/url.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"

#include <curl/curl.h>

#include <arpa/inet.h>

#include <algorithm>
#include <memory>

namespace cfs::net {
namespace {

struct CleanUp {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
    void operator()(char* text) const { curl_free(text); }
};

std::string part_of(CURLU* url, CURLUPart what) {
    char* text = nullptr;
    if (curl_url_get(url, what, &text, 0) != CURLUE_OK) return {};
    const std::unique_ptr<char, CleanUp> owned(text);
    return text;
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

}  // namespace

Url parse_url(const std::string& text) {
    const std::unique_ptr<CURLU, CleanUp> url(curl_url());
    if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
        throw Error(ErrorCode::Network, "'" + printable(text, 300) + "' is no http or https URL");
    }
    Url out;
    out.scheme = lower(part_of(url.get(), CURLUPART_SCHEME));
    out.host = lower(part_of(url.get(), CURLUPART_HOST));
    out.port = part_of(url.get(), CURLUPART_PORT);
    out.has_user = !part_of(url.get(), CURLUPART_USER).empty() ||
                   !part_of(url.get(), CURLUPART_PASSWORD).empty();
    if (out.scheme != "http" && out.scheme != "https") {
        throw Error(ErrorCode::Network, "'" + printable(text, 300) + "' is no http or https URL");
    }
    return out;
}

bool same_origin(const std::string& one, const std::string& other) {
    const auto origin = [](const std::string& text) {
        Url url = parse_url(text);
        if (url.port.empty()) url.port = url.scheme == "https" ? "443" : "80";
        return url.scheme + "://" + url.host + ":" + url.port;
    };
    return origin(one) == origin(other);
}

std::string with_query(const std::string& url,
                       const std::vector<std::pair<std::string, std::string>>& pairs) {
    const std::unique_ptr<CURLU, CleanUp> parts(curl_url());
    bool fine = parts && curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK &&
                curl_url_set(parts.get(), CURLUPART_FRAGMENT, nullptr, 0) == CURLUE_OK;
    for (const auto& [name, value] : pairs) {
        if (value.empty()) continue;
        const std::string pair = name + "=" + value;
        fine = fine && curl_url_set(parts.get(),
                                    CURLUPART_QUERY,
                                    pair.c_str(),
                                    CURLU_APPENDQUERY | CURLU_URLENCODE) == CURLUE_OK;
    }
    if (!fine) throw Error(ErrorCode::Network, "'" + printable(url, 300) + "' is no usable URL");
    return part_of(parts.get(), CURLUPART_URL);
}

bool is_loopback(std::string_view host) {
    if (host == "localhost" || host == "[::1]") return true;
    in_addr address{};
    if (::inet_pton(AF_INET, std::string(host).c_str(), &address) != 1) return false;
    return ntohl(address.s_addr) >> 24 == 127;
}

bool is_listed(const std::vector<std::string>& registries,
               const std::string& host,
               const std::string& port) {
    return std::any_of(registries.begin(), registries.end(), [&](const std::string& entry) {
        return lower(entry) == host || (!port.empty() && lower(entry) == host + ":" + port);
    });
}

bool may_use_http(const std::string& host, const std::string& port, const NetOptions& options) {
    return is_loopback(host) || is_listed(options.insecure_registries, host, port);
}

}  // namespace cfs::net
