// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/auth_file.hpp"
#include "net/challenge.hpp"
#include "net/failure.hpp"
#include "net/http_client.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace cfs::net {

/// What a request carries to prove who asks. Never logged and never part of a message.
struct Authorization {
    std::string header;                ///< "Authorization: ..."; empty: none
    std::vector<std::string> secrets;  ///< what must not show in messages
};

/// Answers one registry's 401s for one repository, by the Basic scheme or with a token of the
/// service that the registry names (the distribution project's token specification). Credentials
/// are looked up anew for each answer, so that a file may be replaced while we run; without any, a
/// token is asked for anonymously. Tokens are kept in memory per service and scope until they run
/// out. Thread-safe; nothing blocks but answer(). `http` must outlive this.
class Authenticator {
 public:
    /// \param host "HOST[:PORT]", by which credentials are looked up
    Authenticator(std::string host, std::string name, const NetOptions& options, HttpClient& http);

    /// What the next request should carry: nothing before the first 401 and after a token ran out.
    [[nodiscard]] Authorization current() const;

    /// After a 401 to a request that carried `sent`: afterwards current() is worth another try,
    /// unless a failure is returned. The service's own failures are values, as those of any
    /// exchange; throws Cancelled, and Unsupported or BadFormat for the files of credentials.
    [[nodiscard]] std::optional<Failure> answer(const std::string& url,
                                                const HttpResponse& refusal,
                                                const Authorization& sent,
                                                const std::stop_token& stop);

    /// For a refusal's message: whose credentials were used, or where none were found.
    [[nodiscard]] std::string account() const;

 private:
    struct Entry {
        Authorization authorization;
        std::chrono::steady_clock::time_point expires;
    };

    [[nodiscard]] bool renewed_since(const Authorization& sent);
    [[nodiscard]] std::optional<Credential> look_up();
    void keep(const std::string& key, Authorization authorization, std::chrono::seconds lifetime);
    [[nodiscard]] std::optional<Failure> answer_basic(const std::string& url,
                                                      const HttpResponse& refusal,
                                                      const Authorization& sent);
    [[nodiscard]] std::optional<Failure> answer_bearer(const std::string& url,
                                                       const Challenge& challenge,
                                                       const std::stop_token& stop);
    [[nodiscard]] std::string token_url(const std::string& url, const Challenge& challenge) const;

    std::string host_;
    std::string name_;
    NetOptions options_;
    HttpClient& http_;

    mutable std::mutex mutex_;
    std::map<std::string, Entry> entries_;  ///< by service and scope; guarded by mutex_
    std::string in_use_;                    ///< key of entries_; guarded by mutex_
    std::string account_;                   ///< guarded by mutex_
};

/// A token service's answer.
struct IssuedToken {
    std::string token;
    std::chrono::seconds lifetime{60};  ///< the specification's default
};

/// Takes hostile bytes, which messages never quote. Throws BadFormat, also for a token that cannot
/// stand in a header.
[[nodiscard]] IssuedToken parse_token(ByteView document);

}  // namespace cfs::net
