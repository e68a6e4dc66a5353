// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "net/http_headers.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

namespace cfs::net {

enum class FailureKind {
    None,
    Connect,      ///< no name, no route, refused, or too slow to answer
    NotTls,       ///< the handshake failed before any certificate was seen
    Certificate,  ///< the peer's certificate is not acceptable, or ours cannot be read
    NoCa,         ///< the file of those that are trusted cannot be read: nothing was sent
    Refused,      ///< the peer asked for a client certificate and wants none, or not that one
    Unanswered,   ///< the peer asked for a client certificate and then said nothing more
    Cut,          ///< the connection broke in the middle
    Stalled,      ///< too slow for too long
    Other,
};

/// How an exchange ended, apart from the response's head.
struct TransferEnd {
    FailureKind failure = FailureKind::None;
    std::string problem;       ///< for people; empty without a failure
    std::string redirect_url;  ///< absolute, of a 3xx response; else empty
};

/// Where the transfer thread and the one consumer of a response meet: the head, then a queue of at
/// most `limit` bytes (and one chunk more), then the end. The only state that the two share.
class Transfer {
 public:
    static constexpr std::size_t kLimit = std::size_t{2} << 20;

    explicit Transfer(std::size_t limit = kLimit) : limit_(limit) {}

    /// \name Transfer thread
    /// @{
    void put_head(const HttpResponse& response);
    /// False when the queue is full: nothing was taken, offer it again after the consumer resumed.
    [[nodiscard]] bool put_body(ByteView data);
    void put_end(TransferEnd end);
    /// @}

    /// \name Consumer. Block until there is something, or throw Cancelled.
    /// @{
    /// nullopt: it ended without a response.
    [[nodiscard]] std::optional<HttpResponse> wait_head(const std::stop_token& stop);
    /// nullopt at the end.
    [[nodiscard]] std::optional<Bytes> next_body(const std::stop_token& stop);
    /// True once after the queue was full and has room again: the transfer thread wants a nudge.
    [[nodiscard]] bool take_resume();
    /// \pre wait_head() or next_body() gave nullopt
    [[nodiscard]] TransferEnd end();
    /// @}

 private:
    std::size_t limit_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::optional<HttpResponse> head_;
    std::deque<Bytes> body_;
    std::size_t queued_ = 0;
    bool full_ = false;
    std::optional<TransferEnd> end_;
};

}  // namespace cfs::net
