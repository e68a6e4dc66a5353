// SPDX-License-Identifier: Apache-2.0
/// \file One registry's own certificates: containers-certs.d(5).
#pragma once

#include <string>
#include <vector>

namespace cfs::net {

/// What TLS with one host needs beyond the ordinary; a value.
struct HostCerts {
    std::string ca_pem;       ///< all of the host's *.crt, trusted beside the others; may be empty
    std::string client_cert;  ///< path of a *.cert, PEM; empty: none
    std::string client_key;   ///< path of the *.key of the same name; empty: none

    bool operator==(const HostCerts&) const = default;
};

/// A file of certificates, whole. Throws what open() said.
[[nodiscard]] std::string read_pem(const std::string& path);

/// The first of `folders` that has a directory `host` ("HOST[:PORT]") decides alone. Of several
/// client certificates the first by name is used.
/// \throws InvalidArgs: a certificate without its key or the other way round; what open() said when
/// something there cannot be read
[[nodiscard]] HostCerts find_host_certs(const std::vector<std::string>& folders,
                                        const std::string& host);

}  // namespace cfs::net
