// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cfs::client {

/// Takes secrets out of text that goes to others. It would rather take too much.
///
/// By form: what stands before the "@" of a URL, and what stands after its "?"; the values of keys
/// whose names say that they are secret (password, token, auth, ...); Basic, Bearer and JSON web
/// tokens; private keys in PEM. And everything that learn() was told, wherever it stands. Digests
/// ("name@sha256:...") stay.
class Redactor {
 public:
    /// Text of fewer than four bytes would hit everywhere: it is not taken.
    void learn(std::string_view secret);

    /// The user and the password of a URL, as they stand there and decoded.
    void learn_url(std::string_view url);

    /// All that a file of registry credentials has (containers-auth.json(5)).
    void learn_auth_file(std::string_view text);

    [[nodiscard]] std::string redacted(std::string_view text) const;

 private:
    std::vector<std::string> secrets_;  ///< longest first
};

}  // namespace cfs::client
