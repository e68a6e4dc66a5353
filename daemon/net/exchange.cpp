// SPDX-License-Identifier: Apache-2.0
#include "net/exchange.hpp"

#include "net/url.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

namespace cfs::net {
namespace {

constexpr long kReceiveBuffer = 256L * 1024;

FailureKind kind_of(CURLcode code) {
    switch (code) {
        case CURLE_OK:
            return FailureKind::None;
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_CONNECT:
            return FailureKind::Connect;
        case CURLE_SSL_CONNECT_ERROR:
            return FailureKind::NotTls;
        case CURLE_SSL_CACERT_BADFILE:
            return FailureKind::NoCa;
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_INVALIDCERTSTATUS:
            return FailureKind::Certificate;
        case CURLE_OPERATION_TIMEDOUT:
            return FailureKind::Stalled;
        case CURLE_PARTIAL_FILE:
        case CURLE_GOT_NOTHING:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
            return FailureKind::Cut;
        default:
            return FailureKind::Other;
    }
}

/// libcurl quotes a proxy that it cannot use, password and all.
std::string without_user(std::string text) {
    const auto at = text.rfind('@');
    const auto start = at == std::string::npos ? at : text.rfind("//", at);
    if (start != std::string::npos) text.replace(start + 2, at - start - 2, "...");
    return text;
}

/// nullptr where none is needed, and where libcurl shall say what is wrong with the file.
CaStore shared_store(const HttpRequest& request, const NetOptions& options) {
    if (parse_url(request.url).scheme != "https") return nullptr;
    return options.ca_file.empty() ? default_ca_store() : find_ca_store(options.ca_file, "");
}

}  // namespace

Exchange::Exchange(std::shared_ptr<Transfer> transfer,
                   const HttpRequest& request,
                   const NetOptions& options,
                   TlsWitness& witness)
    : transfer_(std::move(transfer)),
      easy_(curl_easy_init()),
      witness_(witness),
      own_certificate_(!request.certs.client_cert.empty()) {
    if (!easy_) throw Error(ErrorCode::Internal, "setting up a transfer");
    for (const std::string& header : request.headers) {
        curl_slist* list = curl_slist_append(headers_.get(), header.c_str());
        if (list == nullptr) throw std::bad_alloc();
        (void)headers_.release();
        headers_.reset(list);
    }
    configure(request, options);
}

void Exchange::configure(const HttpRequest& request, const NetOptions& options) {
    CURL* easy = easy_.get();
    set_option(easy, CURLOPT_URL, request.url.c_str());
    set_option(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set_option(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    set_option(easy, CURLOPT_HTTPHEADER, headers_.get());
    set_option(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
    set_option(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set_option(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set_option(easy, CURLOPT_NOSIGNAL, 1L);
    set_option(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    set_option(easy, CURLOPT_BUFFERSIZE, kReceiveBuffer);
    set_option(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
    set_option(easy, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(options.low_speed_bytes));
    set_option(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.low_speed_time.count()));
    trust(request, options);
    witness_.forget();
    const Url url = parse_url(request.url);
    if (is_listed(options.unverified_registries, url.host, url.port)) {
        set_option(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        set_option(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (!options.proxy.empty()) {
        set_option(easy, CURLOPT_PROXY, options.proxy == "direct" ? "" : options.proxy.c_str());
    }
    if (request.direct) set_option(easy, CURLOPT_NOPROXY, "*");
    set_option(easy, CURLOPT_ERRORBUFFER, problem_.data());
    set_option(easy, CURLOPT_PRIVATE, static_cast<void*>(this));
    set_option(easy, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
    set_option(easy, CURLOPT_HEADERDATA, static_cast<void*>(this));
    set_option(easy, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
    set_option(easy, CURLOPT_WRITEDATA, static_cast<void*>(this));
}

/// Whose certificates count, and which is ours.
void Exchange::trust(const HttpRequest& request, const NetOptions& options) {
    CURL* easy = easy_.get();
    const bool can_share = witness_.watch(easy) && request.certs.ca_pem.empty();
    const CaStore shared = can_share ? shared_store(request, options) : nullptr;
    witness_.trust(shared);
    if (shared) {
        // Or it would add its own to the shared ones.
        set_option(easy, CURLOPT_CAINFO, static_cast<char*>(nullptr));
        set_option(easy, CURLOPT_CAPATH, static_cast<char*>(nullptr));
    } else if (!request.certs.ca_pem.empty()) {
        // A blob replaces the file, not the distribution's directory.
        curl_blob blob{const_cast<char*>(request.certs.ca_pem.data()),
                       request.certs.ca_pem.size(),
                       CURL_BLOB_COPY};
        set_option(easy, CURLOPT_CAINFO_BLOB, &blob);
    } else if (!options.ca_file.empty()) {
        set_option(easy, CURLOPT_CAINFO, options.ca_file.c_str());
    }
    if (!shared && !options.ca_file.empty()) {
        // The distribution's default directory would still be trusted beside the given file.
        set_option(easy, CURLOPT_CAPATH, static_cast<char*>(nullptr));
    }
    if (request.certs.client_cert.empty()) return;
    set_option(easy, CURLOPT_SSLCERT, request.certs.client_cert.c_str());
    set_option(easy, CURLOPT_SSLKEY, request.certs.client_key.c_str());
}

std::size_t Exchange::on_header(char* data,
                                std::size_t /*one*/,
                                std::size_t count,
                                void* self) noexcept {
    auto* exchange = static_cast<Exchange*>(self);
    try {
        if (exchange->collector_.add({data, count})) {
            exchange->answered_ = true;
            exchange->transfer_->put_head(exchange->collector_.response());
        }
        return count;
    } catch (const std::exception& e) {
        exchange->parked_ = e.what();
        return 0;
    }
}

std::size_t Exchange::on_body(char* data,
                              std::size_t /*one*/,
                              std::size_t count,
                              void* self) noexcept {
    auto* exchange = static_cast<Exchange*>(self);
    try {
        const bool taken = exchange->transfer_->put_body(as_bytes({data, count}));
        return taken ? count : CURL_WRITEFUNC_PAUSE;
    } catch (const std::exception& e) {
        exchange->parked_ = e.what();
        return 0;
    }
}

/// A connection that breaks before any answer, to a peer that asked who we are, has a likely
/// reason.
void Exchange::explain_certificate(TransferEnd& end) const {
    const bool broke = end.failure == FailureKind::NotTls || end.failure == FailureKind::Cut ||
                       end.failure == FailureKind::Connect;
    if (!broke || answered_ || !witness_.wants_certificate()) return;
    end.failure = witness_.refused() ? FailureKind::Refused : FailureKind::Unanswered;
    end.problem += " (it asked for a client certificate and got ";
    end.problem += own_certificate_ ? "ours)" : "none)";
}

void Exchange::finish(CURLcode code) {
    TransferEnd end;
    end.failure = kind_of(code);
    if (code != CURLE_OK) {
        const std::string_view detail = problem_.data();
        end.problem = detail.empty() ? curl_easy_strerror(code) : without_user(std::string(detail));
    }
    explain_certificate(end);
    if (!parked_.empty()) end.problem = parked_;
    char* redirect = nullptr;
    if (curl_easy_getinfo(easy_.get(), CURLINFO_REDIRECT_URL, &redirect) == CURLE_OK &&
        redirect != nullptr) {
        end.redirect_url = redirect;
    }
    transfer_->put_end(std::move(end));
}

}  // namespace cfs::net
