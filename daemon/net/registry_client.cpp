// SPDX-License-Identifier: Apache-2.0
#include "net/registry_client.hpp"

#include "base/log.hpp"
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

/// What servers say to plain HTTP on a port for TLS.
constexpr long kPlainToTls = 400;

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

bool is_redirect(long status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

RegistryClient::RegistryClient(std::string host,
                               std::string name,
                               const NetOptions& options,
                               HttpClient& http)
    : host_(std::move(host)),
      base_("/v2/" + name + "/"),
      options_(options),
      http_(http),
      authenticator_(host_, std::move(name), options, http) {
    const Url url = parse_url("https://" + host_);
    if (!may_use_http(url.host, url.port, options_)) scheme_ = Scheme::Https;
}

void RegistryClient::get(const std::string& what,
                         const std::vector<std::string>& headers,
                         Download& download,
                         const std::stop_token& stop) {
    for (unsigned failures = 0;;) {
        const std::uint64_t before = download.progress();
        Walk walk{headers, download, stop};
        const auto failure = attempt(base_ + what, walk);
        if (!failure) return;
        if (!failure->transient) throw failure->error;
        failures = download.progress() - before >= kProgress ? 1 : failures + 1;
        if (failures >= options_.max_attempts) {
            Error error = failure->error;
            // One is nothing to speak of.
            if (failures > 1) error.add_context("after " + std::to_string(failures) + " attempts");
            throw error;
        }
        const auto delay = delay_after(*failure, failures);
        log::info(std::string("fetching again: ") + failure->error.what() + " delay_ms=" +
                  std::to_string(delay.count()) + " offset=" + std::to_string(download.offset()));
        wait_or_stop(delay, stop);
    }
}

/// The back-off comes on top of what the server asks for, so that a fleet does not return in step.
std::chrono::milliseconds RegistryClient::delay_after(const Failure& failure,
                                                      unsigned failures) const {
    const auto own = retry_delay(failures, options_.retry_seed, options_.retry_base);
    const auto asked = parse_retry_after(failure.retry_after, failure.date, options_.clock->now());
    if (!asked) return own;
    if (*asked > options_.longest_wait) {
        Error error = failure.error;
        error.add_context("to be asked again in " + std::to_string(asked->count()) +
                          " seconds only");
        throw error;
    }
    return *asked + own;
}

HttpOutcome RegistryClient::exchange(Walk& walk) {
    HttpRequest request{walk.url, walk.headers, is_loopback(parse_url(walk.url).host)};
    if (const std::uint64_t offset = walk.download.offset(); offset > 0) {
        request.headers.push_back("Range: bytes=" + std::to_string(offset) + "-");
    }
    walk.sent = same_origin(walk.url, walk.start) ? authenticator_.current() : Authorization{};
    if (!walk.sent.header.empty()) request.headers.push_back(walk.sent.header);
    walk.error_body.clear();
    StartSink refusal(walk.error_body);
    const auto choose = [&](const HttpResponse& response) -> Sink* {
        if (is_redirect(response.status)) return nullptr;
        if (response.status == 200 || response.status == 206) {
            return &walk.download.begin(response);
        }
        return &refusal;
    };
    return http_.get(request, choose, walk.stop);
}

/// HTTPS first; where plain HTTP is allowed and the peer turns out not to speak TLS, that. What
/// worked once stays, so that a disturbed handshake later cannot lead to plain HTTP.
HttpOutcome RegistryClient::first_exchange(const std::string& path, Walk& walk) {
    const Scheme known = scheme_;
    walk.start = walk.url = (known == Scheme::Http ? "http://" : "https://") + host_ + path;
    HttpOutcome outcome = exchange(walk);
    const FailureKind failure = outcome.end.failure;
    if (known == Scheme::Unknown &&
        (failure == FailureKind::NotTls || failure == FailureKind::NoCa)) {
        walk.start = walk.url = "http://" + host_ + path;
        HttpOutcome plain = exchange(walk);
        const long status = plain.response.status;
        if (status != 0 && status != kPlainToTls) scheme_ = Scheme::Http;
        // Without trusted certificates nobody has asked yet whether the registry speaks TLS.
        if (failure == FailureKind::NotTls || scheme_ == Scheme::Http) outcome = std::move(plain);
    } else if (known == Scheme::Unknown && outcome.response.status != 0) {
        scheme_ = Scheme::Https;
    }
    return outcome;
}

std::optional<Failure> RegistryClient::attempt(const std::string& path, Walk& walk) {
    HttpOutcome outcome = first_exchange(path, walk);
    bool answered = false;
    for (;;) {
        if (outcome.end.failure != FailureKind::None) break;
        if (is_redirect(outcome.response.status)) {
            follow_redirect(outcome.end.redirect_url, walk);
        } else if (outcome.response.status == 401 && !answered &&
                   same_origin(walk.url, walk.start)) {
            answered = true;
            if (auto failure =
                    authenticator_.answer(walk.url, outcome.response, walk.sent, walk.stop)) {
                return failure;
            }
        } else {
            break;
        }
        outcome = exchange(walk);
    }
    return judge(outcome, walk);
}

std::optional<Failure> RegistryClient::judge(const HttpOutcome& outcome, const Walk& walk) {
    const long status = outcome.response.status;
    if (status != 0 && status != 200 && status != 206) {
        Failure failure =
            status_failure(walk.url, outcome.response, walk.error_body, walk.sent.secrets);
        if (failure.error.code() == ErrorCode::AuthRequired && !walk.sent.header.empty()) {
            failure.error.add_context(authenticator_.account());
        }
        return failure;
    }
    // A connection that breaks after the last byte took nothing away.
    Download& download = walk.download;
    const bool whole = download.offset() > 0 && download.complete();
    if (outcome.end.failure != FailureKind::None && !whole) {
        return transfer_failure(walk.url, outcome.end);
    }
    if (!download.complete()) {
        return transfer_failure(walk.url, {FailureKind::Cut, "the body ended too early", {}});
    }
    return std::nullopt;
}

void RegistryClient::follow_redirect(const std::string& to, Walk& walk) {
    const auto refuse = [&](const std::string& problem) {
        throw bad_target(walk.url, "redirects to", to, problem);
    };
    if (to.empty()) refuse("there is no usable Location");
    walk.seen.insert(walk.url);
    if (!walk.seen.insert(to).second) refuse("a redirect loop");
    if (walk.seen.size() > kMaxRedirects + 1) {
        refuse("more than " + std::to_string(kMaxRedirects) + " redirects in a row");
    }
    const Url target = parse_url(to);
    if (target.has_user) refuse("a user name in the target");
    if (target.scheme != "https") {
        if (parse_url(walk.url).scheme == "https") refuse("from HTTPS to plain HTTP");
        if (!may_use_http(target.host, target.port, options_)) {
            refuse("plain HTTP to a host that is neither local nor allowed");
        }
    }
    walk.url = to;
}

}  // namespace cfs::net
