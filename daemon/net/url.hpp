// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/net_options.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

/// Whether both go to the same scheme, host and port; a default port may be left out.
[[nodiscard]] bool same_origin(const std::string& one, const std::string& other);

/// `url` with name=value pairs added to its query, encoded; pairs with an empty value are left out,
/// so is a fragment.
[[nodiscard]] std::string with_query(const std::string& url,
                                     const std::vector<std::pair<std::string, std::string>>& pairs);

/// 127.0.0.0/8, [::1] and localhost, nothing else.
[[nodiscard]] bool is_loopback(std::string_view host);

/// Whether a list of "HOST" and "HOST:PORT" names it; "HOST" means every port.
[[nodiscard]] bool is_listed(const std::vector<std::string>& registries,
                             const std::string& host,
                             const std::string& port);

/// Whether plain HTTP may be spoken to `host`: loopback, or listed as "HOST" or "HOST:PORT".
[[nodiscard]] bool may_use_http(const std::string& host,
                                const std::string& port,
                                const NetOptions& options);

}  // namespace cfs::net
