// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cfs::client {

/// What stands for a secret.
inline constexpr const char* kGone = "REDACTED";

/// Where the "@" is that ends what stands before a host; npos if there is none. That of a digest
/// ends nothing; of several it is the last one, because passwords are not always encoded.
[[nodiscard]] std::size_t end_of_user(std::string_view word);

/// "password", "db_pass", "net.token", ...: the value of such a key is secret.
[[nodiscard]] bool names_a_secret(std::string_view key);

/// Takes secrets out of text that goes to others. It would rather take too much.
///
/// By form: what stands before the "@" of a URL (the last one before white space, because passwords
/// are not always encoded), and what stands after its "?"; the values of keys whose names say that
/// they are secret (password, token, DB_PASS, proxy_auth, ...); Basic, Bearer and JSON web
/// tokens; private keys in PEM. And everything that learn() was told, wherever it stands. Digests
/// ("name@sha256:...") stay.
class Redactor {
 public:
    /// It is found in quotes too, escaped as JSON and TOML do. Text of fewer than four bytes would
    /// hit everywhere: it is not taken.
    void learn(std::string_view secret);

    /// The user and the password of a URL, as they stand there and decoded.
    void learn_url(std::string_view url);

    /// All that a file of registry credentials has (containers-auth.json(5)).
    void learn_auth_file(std::string_view text);

    /// The proxies and the secrets of an environment, as `systemctl show -p Environment` prints it.
    void learn_environment(std::string_view text);

    [[nodiscard]] std::string redacted(std::string_view text) const;

    /// Each string of a JSON document by itself, so that it stays one. What is no JSON is taken as
    /// text.
    [[nodiscard]] std::string redacted_json(std::string_view text) const;

 private:
    std::vector<std::string> secrets_;  ///< longest first
};

}  // namespace cfs::client
