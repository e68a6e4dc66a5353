// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/net_options.hpp"

#include <string>
#include <string_view>

namespace cfs::net {

/// Parsed by libcurl, so that what is checked is what is used.
struct Url {
    std::string scheme;  ///< lower case
    std::string host;    ///< lower case, IPv6 in brackets
    std::string port;    ///< empty: the scheme's own
    bool has_user = false;
};

/// Throws Network for text that is no absolute http or https URL.
[[nodiscard]] Url parse_url(const std::string& text);

/// 127.0.0.0/8, [::1] and localhost, nothing else.
[[nodiscard]] bool is_loopback(std::string_view host);

/// Whether plain HTTP may be spoken to `host`: loopback, or listed as "HOST" or "HOST:PORT".
[[nodiscard]] bool may_use_http(const std::string& host,
                                const std::string& port,
                                const NetOptions& options);

}  // namespace cfs::net
