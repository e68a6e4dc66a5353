// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/ca_store.hpp"

#include <curl/curl.h>

#include <utility>

namespace cfs::net {

/// What one peer says while TLS is agreed on, and what libcurl does not tell: whether it asks for a
/// client's certificate, and that it ended a connection with an alert. With TLS 1.3 a client whose
/// certificate is refused, or missing, believes that the handshake succeeded (RFC 8446, 4.4.2.4),
/// so all that libcurl reports is a connection that broke.
///
/// For the transfer thread only; has to live as long as the connections to the peer.
class TlsWitness {
 public:
    TlsWitness() = default;
    TlsWitness(const TlsWitness&) = delete;
    TlsWitness& operator=(const TlsWitness&) = delete;

    /// From now on the handshakes that `easy` begins are watched. False, and without effect, where
    /// libcurl was not built with OpenSSL.
    bool watch(CURL* easy);

    /// What the peer's certificate is checked against; nullptr: what libcurl was told.
    void trust(CaStore store) { store_ = std::move(store); }

    /// At the start of an exchange: what earlier ones saw explains nothing.
    void forget() {
        wants_certificate_ = false;
        refused_ = false;
    }

    [[nodiscard]] bool wants_certificate() const { return wants_certificate_; }
    /// The connection ended with an alert of the peer.
    [[nodiscard]] bool refused() const { return refused_; }

 private:
    struct Hooks;
    CaStore store_;
    bool wants_certificate_ = false;
    bool refused_ = false;
};

}  // namespace cfs::net
