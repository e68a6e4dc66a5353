// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.hpp"
#include "net/http_client.hpp"
#include "net/http_headers.hpp"
#include "net/tls_witness.hpp"

#include <curl/curl.h>

#include <array>
#include <memory>
#include <string>

namespace cfs::net {

// Private to this component, as all of libcurl is.

/// Sets an option of a handle. Throws Internal when libcurl does not know it.
template <typename T>
void set_option(CURL* easy, CURLoption option, T value) {
    if (const CURLcode code = curl_easy_setopt(easy, option, value); code != CURLE_OK) {
        throw Error(ErrorCode::Internal,
                    std::string("setting up a transfer: ") + curl_easy_strerror(code));
    }
}

/// One easy handle and what its callbacks write to. Lives and dies on the transfer thread; its
/// address is known to libcurl, so it never moves.
class Exchange {
    struct CleanUp {
        void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
        void operator()(curl_slist* list) const { curl_slist_free_all(list); }
    };

 public:
    Exchange(std::shared_ptr<Transfer> transfer,
             const HttpRequest& request,
             const NetOptions& options,
             TlsWitness& witness);
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    [[nodiscard]] CURL* easy() const { return easy_.get(); }

    void finish(CURLcode code);

 private:
    void configure(const HttpRequest& request, const NetOptions& options);
    void trust(const HttpRequest& request, const NetOptions& options);
    void explain_certificate(TransferEnd& end) const;
    static std::size_t on_header(char* data, std::size_t, std::size_t count, void* self) noexcept;
    static std::size_t on_body(char* data, std::size_t, std::size_t count, void* self) noexcept;

    std::shared_ptr<Transfer> transfer_;
    std::unique_ptr<curl_slist, CleanUp> headers_;
    std::unique_ptr<CURL, CleanUp> easy_;
    std::array<char, CURL_ERROR_SIZE> problem_{};
    HeaderCollector collector_;
    TlsWitness& witness_;
    bool own_certificate_;  ///< a client certificate is set
    bool answered_ = false;
    std::string parked_;  ///< what a callback failed with
};

}  // namespace cfs::net
