// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace cfs::net {

/// Certificates that are trusted to name servers.
using CaStore = std::shared_ptr<X509_STORE>;

/// What a PEM file, and a directory of hashed names (may be empty), hold. libcurl parses the file
/// anew for each connection, which for a distribution's takes 60 ms: here a file is parsed once per
/// process, until it changes. nullptr where it cannot be used: libcurl then says why. Thread-safe.
[[nodiscard]] CaStore find_ca_store(const std::string& file, const std::string& directory);

/// The same for the files that libcurl was built to trust.
[[nodiscard]] CaStore default_ca_store();

}  // namespace cfs::net
