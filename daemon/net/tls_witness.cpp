// SPDX-License-Identifier: Apache-2.0
#include "net/tls_witness.hpp"

#include <openssl/ssl.h>

namespace cfs::net {

/// What OpenSSL calls. Its callback for alerts has no argument, so the context carries one.
struct TlsWitness::Hooks {
    static int slot() {
        static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
        return index;
    }

    static CURLcode on_context(CURL* /*easy*/, void* raw, void* self) noexcept {
        auto* context = static_cast<SSL_CTX*>(raw);
        SSL_CTX_set_ex_data(context, slot(), self);
        SSL_CTX_set_info_callback(context, &on_info);
        SSL_CTX_set_cert_cb(context, &on_certificate_wanted, self);
        const CaStore& store = static_cast<TlsWitness*>(self)->store_;
        if (store) SSL_CTX_set1_cert_store(context, store.get());
        return CURLE_OK;
    }

    /// Called on a client when the server asks; 1: go on with what is configured.
    static int on_certificate_wanted(SSL* /*ssl*/, void* self) noexcept {
        static_cast<TlsWitness*>(self)->wants_certificate_ = true;
        return 1;
    }

    static void on_info(const SSL* ssl, int where, int value) noexcept {
        const bool fatal = (value >> 8) == SSL3_AL_FATAL;
        if ((where & SSL_CB_READ_ALERT) != SSL_CB_READ_ALERT || !fatal) return;
        auto* self = static_cast<TlsWitness*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), slot()));
        if (self != nullptr) self->refused_ = true;
    }
};

bool TlsWitness::watch(CURL* easy) {
    return curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, static_cast<void*>(this)) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &Hooks::on_context) == CURLE_OK;
}

}  // namespace cfs::net
