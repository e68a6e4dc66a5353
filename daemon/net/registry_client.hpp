// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/authenticator.hpp"
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

/// GETs from one repository of a registry (OCI distribution-spec 1.1): chooses HTTPS or, where that
/// is allowed, HTTP; answers challenges; follows redirects, without credentials where they leave
/// the registry; repeats what may pass with back-off. Thread-safe.
class RegistryClient {
 public:
    /// \param host "HOST[:PORT]"
    /// \param name the repository
    /// \param http outlives this
    RegistryClient(std::string host, std::string name, const NetOptions& options, HttpClient& http);

    /// Throws: AuthRequired (401, 403), NotFound (404), Network (other statuses, no connection,
    /// TLS, redirects that loop, are too many or lead to plain HTTP), Unsupported and BadFormat for
    /// the files of credentials, Cancelled, and what `download` throws.
    /// \param what below the repository: "manifests/v1"
    void get(const std::string& what,
             const std::vector<std::string>& headers,
             Download& download,
             const std::stop_token& stop);

 private:
    /// One GET on its way through challenges and redirects.
    struct Walk {
        const std::vector<std::string>& headers;
        Download& download;
        const std::stop_token& stop;
        std::string start{};  ///< where it began, in the scheme that worked
        std::string url{};
        std::set<std::string> seen{};
        Authorization sent{};
        Bytes error_body{};
    };

    [[nodiscard]] std::optional<Failure> attempt(const std::string& path, Walk& walk);
    [[nodiscard]] std::chrono::milliseconds delay_after(const Failure& failure,
                                                        unsigned failures) const;
    [[nodiscard]] HttpOutcome exchange(Walk& walk);
    [[nodiscard]] HttpOutcome first_exchange(const std::string& path, Walk& walk);
    [[nodiscard]] std::optional<Failure> judge(const HttpOutcome& outcome, const Walk& walk);
    void follow_redirect(const std::string& to, Walk& walk);

    enum class Scheme { Unknown, Http, Https };

    std::string host_;
    std::string base_;  ///< "/v2/NAME/"
    NetOptions options_;
    HttpClient& http_;
    Authenticator authenticator_;
    std::atomic<Scheme> scheme_ = Scheme::Unknown;
};

}  // namespace cfs::net
