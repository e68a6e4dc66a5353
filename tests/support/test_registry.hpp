// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/test_guard.hpp"
#include "support/test_server.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cfs::test {

/// How a request whose target contains `path` goes wrong. Several parts may be set at once.
struct Fault {
    std::string path = {};  ///< part of the target; empty: every request
    unsigned skip = 0;      ///< matching requests that pass first
    unsigned times = ~0U;   ///< how often it strikes

    int status = 0;                                     ///< answer with this instead
    std::string location = {};                          ///< header of a redirect
    std::string headers = {};                           ///< more lines, each with its line end
    std::string content_type = {};                      ///< instead of the true one
    std::optional<std::string> body = {};               ///< instead of the true one
    std::optional<std::uint64_t> declared_length = {};  ///< Content-Length says so
    std::optional<std::uint64_t> close_after = {};  ///< breaks off after so many bytes of the body
    std::optional<std::uint64_t> stall_after = {};  ///< sends so many bytes and then nothing
    std::optional<std::uint64_t> flip_byte = {};    ///< inverts a bit of the byte at this offset
    bool no_length = false;                         ///< no Content-Length; the end is the close
    bool ignore_range = false;                      ///< always 200 and the whole
    std::string content_range = {};                 ///< instead of the true one of a 206
    std::size_t drip_bytes = 0;                     ///< so many at a time ...
    std::chrono::milliseconds drip_delay{1};        ///< ... with this in between
};

/// What a client asked for.
struct Request {
    std::string method;
    std::string target;
    std::map<std::string, std::string> headers;  ///< lower-case names
};

/// A container registry (OCI distribution-spec 1.1, pulling only) on a loopback port that
/// misbehaves on command. Thread-safe. A TLS greeting on the plain port is hung up on and not
/// recorded.
class TestRegistry {
 public:
    explicit TestRegistry(const std::optional<TlsFiles>& tls = std::nullopt);
    ~TestRegistry();

    [[nodiscard]] std::uint16_t port() const;
    /// "127.0.0.1:PORT"
    [[nodiscard]] std::string host() const;
    /// "docker://127.0.0.1:PORT/NAME:TAG"
    [[nodiscard]] std::string reference(const std::string& name, const std::string& tag) const;

    /// Returns its digest, "sha256:...".
    std::string add_blob(std::string bytes);
    /// Served under its tag and its digest, which is returned.
    std::string add_manifest(const std::string& name,
                             const std::string& tag,
                             std::string bytes,
                             const std::string& media_type);
    /// Any other path, query included.
    void add_document(const std::string& path, std::string bytes, const std::string& media_type);
    /// Serves an OCI layout directory as repository `name`, tags by their ref.name annotation
    /// ("latest" without one). Read anew at each request; blobs are streamed from their files.
    void serve_layout(const std::string& dir, const std::string& name);

    void add_fault(Fault fault);
    void clear_faults();

    /// From now on only who has a key may read.
    void set_guard(Guard guard);
    /// \pre set_guard() was called
    [[nodiscard]] Door& door();

    [[nodiscard]] std::vector<Request> requests() const;
    /// Bodies' bytes handed to sockets so far.
    [[nodiscard]] std::uint64_t body_bytes_sent() const;
    void forget_requests();
    [[nodiscard]] unsigned most_connections() const { return server_->most_connections(); }

 private:
    struct State;
    std::unique_ptr<State> state_;
    std::unique_ptr<TestServer> server_;
};

}  // namespace cfs::test
