// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.hpp"
#include "support/loopback.hpp"
#include "support/temp_dir.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace cfs::test {

/// PEM files of a server's certificate and its key.
struct TlsFiles {
    std::string certificate;
    std::string key;
    std::string client_ca = {};  ///< a server's: who has no certificate of this CA is hung up on
};

/// A fresh self-signed certificate for 127.0.0.1 and localhost: give `certificate` to a client as
/// its CA file. \param name part of the file names
[[nodiscard]] TlsFiles make_certificate(const TempDir& dir, const std::string& name);

/// One accepted connection, plain or TLS. One thread.
class Connection {
 public:
    virtual ~Connection() = default;

    /// 0 at the end or after any failure.
    [[nodiscard]] virtual std::size_t read(char* buffer, std::size_t size) = 0;

    /// False when the peer is gone.
    [[nodiscard]] virtual bool write(std::string_view data) = 0;

    /// Returns when the peer has closed the connection or the server stops.
    virtual void wait_for_peer_to_leave() = 0;
};

/// Accepts connections on an ephemeral port of 127.0.0.1, each on a thread of its own. The
/// destructor breaks all of them and joins.
class TestServer {
 public:
    using Handler = std::function<void(Connection&)>;

    TestServer(Handler handler, const std::optional<TlsFiles>& tls);
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;
    ~TestServer();

    [[nodiscard]] std::uint16_t port() const { return listener_.port; }

    /// Connections that were open at the same time, at most.
    [[nodiscard]] unsigned most_connections() const { return most_; }

 private:
    struct Tls;

    void accept_loop();
    void serve(int fd);

    Handler handler_;
    std::unique_ptr<Tls> tls_;
    BoundSocket listener_;
    std::atomic<unsigned> open_ = 0;
    std::atomic<unsigned> most_ = 0;

    std::mutex mutex_;
    bool stopping_ = false;            ///< guarded by mutex_
    std::list<UniqueFd> connections_;  ///< guarded by mutex_; closed by the destructor only
    std::list<std::thread> workers_;   ///< accept thread only, then the destructor
    std::thread acceptor_;
};

}  // namespace cfs::test
