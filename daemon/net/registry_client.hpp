// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.hpp"
#include "net/http_client.hpp"
#include "net/net_options.hpp"

#include <atomic>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace cfs::net {

/// The receiving end of one download, which may take several attempts. One thread.
class Download {
 public:
    Download() = default;
    Download(const Download&) = delete;
    Download& operator=(const Download&) = delete;
    virtual ~Download() = default;

    /// Where the next attempt should start; 0: at the beginning, without a Range.
    [[nodiscard]] virtual std::uint64_t offset() const = 0;

    /// A 200 or 206 came: judge its head, name the sink for its body. Throws to give up.
    [[nodiscard]] virtual Sink& begin(const HttpResponse& response) = 0;

    /// An attempt's body ended without a failure; false: it was too short, try again.
    [[nodiscard]] virtual bool complete() = 0;

    /// New bytes so far, over all attempts: what counts as progress.
    [[nodiscard]] virtual std::uint64_t progress() const = 0;
};

/// GETs from one registry (OCI distribution-spec 1.1): chooses HTTPS or, where that is allowed,
/// HTTP; follows redirects; repeats what may pass with back-off. Anonymous. Thread-safe.
class RegistryClient {
 public:
    /// \param host "HOST[:PORT]"
    RegistryClient(std::string host, const NetOptions& options);

    /// Throws: AuthRequired (401, 403), NotFound (404), Network (other statuses, no connection,
    /// TLS, redirects that loop, are too many or lead to plain HTTP), Cancelled, and what
    /// `download` throws.
    void get(const std::string& path,
             const std::vector<std::string>& headers,
             Download& download,
             const std::stop_token& stop);

 private:
    /// Why an attempt failed, and whether another may succeed.
    struct Failure {
        Error error;
        bool transient;
    };

    [[nodiscard]] std::optional<Failure> attempt(const std::string& path,
                                                 const std::vector<std::string>& headers,
                                                 Download& download,
                                                 const std::stop_token& stop);
    [[nodiscard]] HttpOutcome exchange(const std::string& url,
                                       const std::vector<std::string>& headers,
                                       Download& download,
                                       Bytes& error_body,
                                       const std::stop_token& stop);
    [[nodiscard]] HttpOutcome first_exchange(std::string& url,
                                             const std::string& path,
                                             const std::vector<std::string>& headers,
                                             Download& download,
                                             Bytes& error_body,
                                             const std::stop_token& stop);
    void check_redirect(const std::string& from,
                        const std::string& to,
                        std::set<std::string>& seen);

    enum class Scheme { Unknown, Http, Https };

    std::string host_;
    NetOptions options_;
    HttpClient http_;
    std::atomic<Scheme> scheme_ = Scheme::Unknown;
};

}  // namespace cfs::net
