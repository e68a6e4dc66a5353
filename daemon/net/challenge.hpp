// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::net {

/// One way to authenticate that a 401 offers (RFC 9110 11.6.1): `Bearer realm="...",scope="..."`.
struct Challenge {
    std::string scheme;                             ///< lower case
    std::map<std::string, std::string> parameters;  ///< lower-case names; the first of each name

    bool operator==(const Challenge&) const = default;
};

/// The challenges in one WWW-Authenticate field. Takes hostile text and never throws: what is
/// malformed ends the list, the credentials form with a bare value (token68) loses its value.
[[nodiscard]] std::vector<Challenge> parse_challenges(std::string_view field);

}  // namespace cfs::net
