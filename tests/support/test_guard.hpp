// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace cfs::test {

/// Who may read a TestRegistry, and how one asks.
struct Guard {
    std::string basic = {};        ///< "user:password" in base64; empty: anybody gets a token
    bool tokens = true;            ///< Bearer: a token of `realm`; otherwise Basic alone
    std::string realm = {};        ///< empty: this registry's own "/token"
    std::string secret = "tkn";    ///< tokens start with it: registries that share it share tokens
    std::string service = "desk";  ///< in the challenge
    std::string challenge = {};    ///< WWW-Authenticate instead of the true one
    std::string issued = {};       ///< the token service's whole answer instead of the true one
    int expires_in = 300;          ///< seconds; told, and not enforced: see revoke()
};

/// The door of a registry. Thread-safe.
class Door {
 public:
    explicit Door(Guard guard) : guard_(std::move(guard)) {}

    /// A refusal's or a token's answer; nullopt: the request may pass.
    struct Reply {
        int status = 200;
        std::string challenge;
        std::string body;
    };

    /// \param authorization the header's value, or empty
    /// \param host "HOST:PORT" where this registry answers
    [[nodiscard]] std::optional<Reply> check(const std::string& target,
                                             const std::string& authorization,
                                             const std::string& origin);

    /// Tokens issued so far are no longer accepted.
    void revoke();

    [[nodiscard]] unsigned issued() const;

 private:
    [[nodiscard]] Reply issue(const std::string& target, const std::string& authorization);
    [[nodiscard]] Reply refuse(const std::string& target, const std::string& origin) const;

    Guard guard_;
    mutable std::mutex mutex_;
    unsigned issued_ = 0;
    unsigned revoked_ = 0;
};

}  // namespace cfs::test
