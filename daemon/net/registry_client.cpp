// SPDX-License-Identifier: Apache-2.0
#include "net/registry_client.hpp"

#include "base/log.hpp"
#include "net/oci_types.hpp"
#include "net/retry.hpp"
#include "net/url.hpp"

#include <algorithm>

namespace cfs::net {
namespace {

constexpr std::size_t kMaxRedirects = 5;
constexpr std::size_t kErrorBodyKept = 4096;
/// An attempt that brought less than this counts as one without progress, so that a peer cannot
/// keep us busy with a byte at a time.
constexpr std::uint64_t kProgress = std::uint64_t{64} * 1024;

/// Keeps the start of a refusal for the error message.
class StartSink final : public Sink {
 public:
    explicit StartSink(Bytes& out) : out_(out) {}

    void write(ByteView data) override {
        const std::size_t count = std::min(data.size(), kErrorBodyKept - out_.size());
        out_.insert(out_.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(count));
    }

 private:
    Bytes& out_;
};

/// Without its query: signed targets carry secrets there.
std::string shown(const std::string& url) {
    return "'" + printable(url.substr(0, url.find('?')), 300) + "'";
}

bool is_redirect(long status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Error status_error(const std::string& url, long status, const Bytes& body) {
    const std::string text = shown(url) + ": HTTP status " + std::to_string(status) +
                             (body.empty() ? std::string() : ": " + describe_error_body(body));
    if (status == 401 || status == 403) {
        return {ErrorCode::AuthRequired,
                text,
                "the registry wants credentials for this image: make it public or check its name"};
    }
    if (status == 404) {
        return {
            ErrorCode::NotFound, text, "check the image's name and tag, and that it was pushed"};
    }
    return {ErrorCode::Network, text, "the registry has a problem: try again later"};
}

Error transfer_error(const std::string& url, const TransferEnd& end) {
    const std::string text = shown(url) + ": " + printable(end.problem, 300);
    switch (end.failure) {
        case FailureKind::Certificate:
            return {
                ErrorCode::Network,
                text,
                "the registry's TLS certificate is not trusted: name its CA in net.ca_file, and "
                "check the clock"};
        case FailureKind::NotTls:
            return {ErrorCode::Network,
                    text,
                    "no TLS connection to the registry: if it speaks plain HTTP and you trust the "
                    "network, list it in net.insecure_registries"};
        default:
            return {ErrorCode::Network, text, "check the network connection and try again"};
    }
}

bool is_transient(const TransferEnd& end) {
    switch (end.failure) {
        case FailureKind::Connect:
        case FailureKind::Cut:
        case FailureKind::Stalled:
            return true;
        case FailureKind::NotTls:
            // A peer that speaks something else will go on doing so; a reset may pass.
            return end.problem.find("wrong version number") == std::string::npos;
        default:
            return false;
    }
}

Error bad_redirect(const std::string& from, const std::string& to, const std::string& problem) {
    return {ErrorCode::Network,
            shown(from) + " redirects to " + shown(to) + ": " + problem,
            "the registry or a proxy in between is set up wrongly: tell its administrator"};
}

}  // namespace

RegistryClient::RegistryClient(std::string host, const NetOptions& options)
    : host_(std::move(host)), options_(options), http_(options) {
    const Url url = parse_url("https://" + host_);
    if (!may_use_http(url.host, url.port, options_)) scheme_ = Scheme::Https;
}

void RegistryClient::get(const std::string& path,
                         const std::vector<std::string>& headers,
                         Download& download,
                         const std::stop_token& stop) {
    for (unsigned failures = 0;;) {
        const std::uint64_t before = download.progress();
        const auto failure = attempt(path, headers, download, stop);
        if (!failure) return;
        if (!failure->transient) throw failure->error;
        failures = download.progress() - before >= kProgress ? 1 : failures + 1;
        if (failures >= options_.max_attempts) {
            Error error = failure->error;
            error.add_context("after " + std::to_string(failures) + " attempts");
            throw error;
        }
        const auto delay = retry_delay(failures, options_.retry_seed, options_.retry_base);
        log::info(std::string("fetching again: ") + failure->error.what() + " delay_ms=" +
                  std::to_string(delay.count()) + " offset=" + std::to_string(download.offset()));
        wait_or_stop(delay, stop);
    }
}

HttpOutcome RegistryClient::exchange(const std::string& url,
                                     const std::vector<std::string>& headers,
                                     Download& download,
                                     Bytes& error_body,
                                     const std::stop_token& stop) {
    HttpRequest request{url, headers, is_loopback(parse_url(url).host)};
    if (const std::uint64_t offset = download.offset(); offset > 0) {
        request.headers.push_back("Range: bytes=" + std::to_string(offset) + "-");
    }
    error_body.clear();
    StartSink refusal(error_body);
    const auto choose = [&](const HttpResponse& response) -> Sink* {
        if (is_redirect(response.status)) return nullptr;
        if (response.status == 200 || response.status == 206) return &download.begin(response);
        return &refusal;
    };
    return http_.get(request, choose, stop);
}

/// HTTPS first; where plain HTTP is allowed and the peer turns out not to speak TLS, that. What
/// worked once stays, so that a disturbed handshake later cannot lead to plain HTTP.
HttpOutcome RegistryClient::first_exchange(std::string& url,
                                           const std::string& path,
                                           const std::vector<std::string>& headers,
                                           Download& download,
                                           Bytes& error_body,
                                           const std::stop_token& stop) {
    const Scheme known = scheme_;
    url = (known == Scheme::Http ? "http://" : "https://") + host_ + path;
    HttpOutcome outcome = exchange(url, headers, download, error_body, stop);
    if (known == Scheme::Unknown && outcome.end.failure == FailureKind::NotTls) {
        url = "http://" + host_ + path;
        outcome = exchange(url, headers, download, error_body, stop);
        if (outcome.response.status != 0) scheme_ = Scheme::Http;
    } else if (known == Scheme::Unknown && outcome.response.status != 0) {
        scheme_ = Scheme::Https;
    }
    return outcome;
}

std::optional<RegistryClient::Failure> RegistryClient::attempt(
    const std::string& path,
    const std::vector<std::string>& headers,
    Download& download,
    const std::stop_token& stop) {
    std::string url;
    Bytes error_body;
    HttpOutcome outcome = first_exchange(url, path, headers, download, error_body, stop);
    std::set<std::string> seen{url};
    while (outcome.end.failure == FailureKind::None && is_redirect(outcome.response.status)) {
        const std::string target = outcome.end.redirect_url;
        check_redirect(url, target, seen);
        url = target;
        outcome = exchange(url, headers, download, error_body, stop);
    }
    const long status = outcome.response.status;
    if (status != 0 && status != 200 && status != 206) {
        return Failure{status_error(url, status, error_body),
                       status >= 500 || status == 429 || status == 408};
    }
    // A connection that breaks after the last byte took nothing away.
    const bool whole = download.offset() > 0 && download.complete();
    if (outcome.end.failure != FailureKind::None && !whole) {
        return Failure{transfer_error(url, outcome.end), is_transient(outcome.end)};
    }
    if (!download.complete()) {
        return Failure{transfer_error(url, {FailureKind::Cut, "the body ended too early", {}}),
                       true};
    }
    return std::nullopt;
}

void RegistryClient::check_redirect(const std::string& from,
                                    const std::string& to,
                                    std::set<std::string>& seen) {
    if (to.empty()) throw bad_redirect(from, "", "there is no usable Location");
    if (!seen.insert(to).second) throw bad_redirect(from, to, "a redirect loop");
    if (seen.size() > kMaxRedirects + 1) {
        throw bad_redirect(
            from, to, "more than " + std::to_string(kMaxRedirects) + " redirects in a row");
    }
    const Url target = parse_url(to);
    if (target.has_user) throw bad_redirect(from, to, "a user name in the target");
    if (target.scheme == "https") return;
    if (parse_url(from).scheme == "https") throw bad_redirect(from, to, "from HTTPS to plain HTTP");
    if (!may_use_http(target.host, target.port, options_)) {
        throw bad_redirect(from, to, "plain HTTP to a host that is neither local nor allowed");
    }
}

}  // namespace cfs::net
