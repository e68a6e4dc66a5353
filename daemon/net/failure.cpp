// SPDX-License-Identifier: Apache-2.0
#include "net/failure.hpp"

#include "net/oci_types.hpp"

#include <algorithm>

namespace cfs::net {
namespace {

/// Some servers put the request's header into their error pages.
std::string body_text(const Bytes& body, const std::vector<std::string>& secrets) {
    if (body.empty()) return {};
    std::string text = describe_error_body(body);
    const bool leaks = std::any_of(secrets.begin(), secrets.end(), [&](const std::string& secret) {
        return !secret.empty() && (as_text(body).find(secret) != std::string_view::npos ||
                                   text.find(secret) != std::string::npos);
    });
    return leaks ? ": (an answer that repeats the credentials)" : ": " + text;
}

bool is_transient(const TransferEnd& end) {
    switch (end.failure) {
        case FailureKind::Connect:
        case FailureKind::NotTls:
        case FailureKind::Unanswered:
        case FailureKind::Cut:
        case FailureKind::Stalled:
            return true;
        default:
            return false;
    }
}

std::string hint_for(FailureKind kind) {
    switch (kind) {
        case FailureKind::Certificate:
            return "the registry's TLS certificate is not trusted: name its CA in net.ca_file, and "
                   "check the clock";
        case FailureKind::NoCa:
            return "install the system's CA certificates, or name a file of them in net.ca_file";
        case FailureKind::NotTls:
            return "no TLS connection to the registry: if it speaks plain HTTP and you trust the "
                   "network, list it in net.insecure_registries";
        case FailureKind::Refused:
        case FailureKind::Unanswered:
            return "the registry asks for a client certificate: put one that it knows, with its "
                   "key, as "
                   "NAME.cert and NAME.key into the registry's folder below net.certs_dirs";
        default:
            return "check the network connection and try again";
    }
}

}  // namespace

std::string shown_url(const std::string& url) {
    return "'" + printable(url.substr(0, url.find('?')), 300) + "'";
}

Failure status_failure(const std::string& url,
                       const HttpResponse& response,
                       const Bytes& body,
                       const std::vector<std::string>& secrets) {
    const long status = response.status;
    const std::string text =
        shown_url(url) + ": HTTP status " + std::to_string(status) + body_text(body, secrets);
    if (status == 401 || status == 403) {
        return {{ErrorCode::AuthRequired,
                 text,
                 "the registry wants (other) credentials for this image: put them into a file that "
                 "net.auth_files names, or check the image's name"}};
    }
    if (status == 404) {
        return {
            {ErrorCode::NotFound, text, "check the image's name and tag, and that it was pushed"}};
    }
    return {{ErrorCode::Network, text, "the registry has a problem: try again later"},
            status >= 500 || status == 429 || status == 408,
            response.retry_after,
            response.date};
}

Failure transfer_failure(const std::string& url, const TransferEnd& end) {
    return {{ErrorCode::Network,
             shown_url(url) + ": " + printable(end.problem, 300),
             hint_for(end.failure)},
            is_transient(end)};
}

Error bad_target(const std::string& from,
                 const std::string& what,
                 const std::string& to,
                 const std::string& problem) {
    return {ErrorCode::Network,
            shown_url(from) + " " + what + " " + shown_url(to) + ": " + problem,
            "the registry or a proxy in between is set up wrongly: tell its administrator"};
}

}  // namespace cfs::net
