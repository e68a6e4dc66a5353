// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "net/certs_dir.hpp"
#include "net/net_options.hpp"
#include "net/rate_limiter.hpp"
#include "net/transfer.hpp"

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace cfs::net {

struct HttpRequest {
    std::string url;
    std::vector<std::string> headers;  ///< "Name: value"
    bool direct = false;               ///< never through a proxy (loopback)
    HostCerts certs = {};              ///< get() fills it in
};

struct HttpOutcome {
    HttpResponse response;  ///< status 0: none came
    TransferEnd end;
};

/// HTTP(S) GET on libcurl. One thread of its own drives all transfers (curl_multi_poll);
/// connections are reused. get() may be called from several threads at once. Memory per transfer is
/// bounded: when the consumer is slow the connection is paused. A rate limit holds for all
/// transfers together. Proxies come from the options or, as libcurl does it, from the environment
/// (https_proxy, http_proxy, all_proxy, no_proxy).
class HttpClient {
 public:
    explicit HttpClient(const NetOptions& options);
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;
    /// \pre no get() is running. May wait for a name lookup to time out.
    ~HttpClient();

    /// Called on the caller's thread once the head is there; what it returns gets the body, on the
    /// caller's thread too; null drops the body.
    using OnResponse = std::function<Sink*(const HttpResponse&)>;

    /// One exchange, no redirects, no repetition. Failures of network and peer are values, because
    /// the caller decides which to repeat; what `on_response` and the sink throw passes through,
    /// and `stop` throws Cancelled, at once in both cases: the transfer is dropped behind our back.
    /// What find_host_certs() throws for the URL's host passes through too.
    [[nodiscard]] HttpOutcome get(const HttpRequest& request,
                                  const OnResponse& on_response,
                                  const std::stop_token& stop);

 private:
    class Loop;
    NetOptions options_;
    RateLimiter limiter_;
    std::unique_ptr<Loop> loop_;
};

}  // namespace cfs::net
