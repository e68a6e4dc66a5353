// SPDX-License-Identifier: Apache-2.0
/// \file How exchanges fail, in the project's taxonomy. Private to this component.
#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "net/http_headers.hpp"
#include "net/transfer.hpp"

#include <string>
#include <vector>

namespace cfs::net {

/// Why an exchange failed, and whether another may succeed.
struct Failure {
    Error error;
    bool transient = false;
    std::string retry_after{};  ///< the server's words on when to come again
    std::string date{};         ///< when it said so
};

/// For messages: in quotes, without its query, where signed targets carry secrets.
[[nodiscard]] std::string shown_url(const std::string& url);

/// A status that is neither success nor redirect.
/// \param body the start of the answer, shown unless it repeats one of `secrets`
[[nodiscard]] Failure status_failure(const std::string& url,
                                     const HttpResponse& response,
                                     const Bytes& body,
                                     const std::vector<std::string>& secrets);

/// No response, or one that broke off.
[[nodiscard]] Failure transfer_failure(const std::string& url, const TransferEnd& end);

/// A target that must not be followed. \param what "redirects to", "names as its token service"
[[nodiscard]] Error bad_target(const std::string& from,
                               const std::string& what,
                               const std::string& to,
                               const std::string& problem);

}  // namespace cfs::net
