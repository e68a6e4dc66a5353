// SPDX-License-Identifier: Apache-2.0
/// \file Files of registry credentials: containers-auth.json(5), Docker's config.json.
#pragma once

#include "base/bytes.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cfs::net {

/// A name and a password for a registry, and where they stand. Only `origin` may be shown.
struct Credential {
    std::string user;
    std::string password;
    std::string origin;  ///< "'FILE', entry 'KEY'"
};

/// What one file says about repository `name` at `host` ("HOST[:PORT]"). The longest key that is
/// the repository, a namespace above it, or the host wins; an entry without `auth` says nothing.
/// Takes hostile bytes. Messages never quote the file's values.
/// \throws BadFormat: it breaks its format; Unsupported: the credential is with a helper program
/// (`credHelpers`, `credsStore`) or is an identity token
[[nodiscard]] std::optional<Credential> find_in_auth_file(ByteView document,
                                                          const std::string& file,
                                                          const std::string& host,
                                                          const std::string& name);

/// The first file that has a credential. Files that do not exist or may not be read are passed
/// over. `tried`, if given, gets one phrase per file, for a message.
[[nodiscard]] std::optional<Credential> find_credential(const std::vector<std::string>& files,
                                                        const std::string& host,
                                                        const std::string& name,
                                                        std::vector<std::string>* tried);

/// The file that systemd hands to the service under the name "cfsupdated.auth.json"
/// ($CREDENTIALS_DIRECTORY); empty: there is no such directory.
[[nodiscard]] std::string systemd_auth_file();

}  // namespace cfs::net
