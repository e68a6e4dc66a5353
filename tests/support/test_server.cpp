// SPDX-License-Identifier: Apache-2.0
#include "support/test_server.hpp"

#include "base/error.hpp"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <cstdio>
#include <ctime>

namespace cfs::test {
namespace {

template <auto Free>
struct Freer {
    template <typename T>
    void operator()(T* object) const {
        Free(object);
    }
};

using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
using Session = std::unique_ptr<SSL, Freer<SSL_free>>;
using File = std::unique_ptr<std::FILE, Freer<std::fclose>>;

void expect(bool fine, const char* what) {
    if (!fine) throw Error(ErrorCode::Internal, std::string("test server: ") + what);
}

void add_extension(X509* certificate, int nid, const char* value) {
    const Extension extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value));
    expect(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "extension");
}

class PlainConnection final : public Connection {
 public:
    explicit PlainConnection(int fd) : fd_(fd) {}

    std::size_t read(char* buffer, std::size_t size) override {
        const ssize_t count = ::recv(fd_, buffer, size, 0);
        return count > 0 ? static_cast<std::size_t>(count) : 0;
    }

    bool write(std::string_view data) override {
        while (!data.empty()) {
            const ssize_t count = ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
            if (count <= 0) return false;
            data.remove_prefix(static_cast<std::size_t>(count));
        }
        return true;
    }

    void wait_for_peer_to_leave() override {
        pollfd wait{fd_, POLLRDHUP, 0};
        (void)::poll(&wait, 1, -1);
    }

 private:
    int fd_;
};

class TlsConnection final : public Connection {
 public:
    TlsConnection(SSL_CTX* context, int fd) : plain_(fd), session_(SSL_new(context)) {
        ready_ = session_ && SSL_set_fd(session_.get(), fd) == 1 && SSL_accept(session_.get()) == 1;
    }

    [[nodiscard]] bool ready() const { return ready_; }

    std::size_t read(char* buffer, std::size_t size) override {
        const int count = SSL_read(session_.get(), buffer, static_cast<int>(size));
        return count > 0 ? static_cast<std::size_t>(count) : 0;
    }

    bool write(std::string_view data) override {
        return data.empty() ||
               SSL_write(session_.get(), data.data(), static_cast<int>(data.size())) > 0;
    }

    void wait_for_peer_to_leave() override { plain_.wait_for_peer_to_leave(); }

 private:
    PlainConnection plain_;
    Session session_;
    bool ready_ = false;
};

}  // namespace

TlsFiles make_certificate(const TempDir& dir, const std::string& name) {
    const Key key(EVP_EC_gen("P-256"));
    const Certificate certificate(X509_new());
    expect(key && certificate, "certificate");
    X509* x509 = certificate.get();
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), static_cast<long>(std::time(nullptr)));
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 24L * 3600);
    X509_set_pubkey(x509, key.get());
    X509_NAME* subject = X509_get_subject_name(x509);
    const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_issuer_name(x509, subject);
    add_extension(x509, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
    add_extension(x509, NID_basic_constraints, "critical,CA:TRUE");
    expect(X509_sign(x509, key.get(), EVP_sha256()) > 0, "signing");

    TlsFiles files{dir / (name + ".crt"), dir / (name + ".key")};
    const File crt(std::fopen(files.certificate.c_str(), "we"));
    const File pem(std::fopen(files.key.c_str(), "we"));
    expect(
        crt && pem && PEM_write_X509(crt.get(), x509) == 1 &&
            PEM_write_PrivateKey(pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
        "writing the certificate");
    return files;
}

struct TestServer::Tls {
    std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>> context;
};

TestServer::TestServer(Handler handler, const std::optional<TlsFiles>& tls)
    : handler_(std::move(handler)), listener_(listen_on_loopback()) {
    if (tls) {
        // OpenSSL writes to sockets without MSG_NOSIGNAL.
        (void)::signal(SIGPIPE, SIG_IGN);
        tls_ = std::make_unique<Tls>();
        tls_->context.reset(SSL_CTX_new(TLS_server_method()));
        SSL_CTX* context = tls_->context.get();
        expect(SSL_CTX_use_certificate_chain_file(context, tls->certificate.c_str()) == 1 &&
                   SSL_CTX_use_PrivateKey_file(context, tls->key.c_str(), SSL_FILETYPE_PEM) == 1,
               "reading the certificate");
        if (!tls->client_ca.empty()) {
            expect(SSL_CTX_load_verify_locations(context, tls->client_ca.c_str(), nullptr) == 1,
                   "reading the clients' CA");
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
        }
    }
    acceptor_ = std::thread([this] { accept_loop(); });
}

TestServer::~TestServer() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
        for (const UniqueFd& fd : connections_)
            (void)::shutdown(fd.get(), SHUT_RDWR);
    }
    (void)::shutdown(listener_.fd.get(), SHUT_RDWR);
    acceptor_.join();
    for (std::thread& worker : workers_)
        worker.join();
}

void TestServer::accept_loop() {
    for (;;) {
        UniqueFd fd(::accept4(listener_.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
        const std::scoped_lock lock(mutex_);
        if (stopping_) return;
        if (!fd) continue;
        const int number = fd.get();
        connections_.push_back(std::move(fd));
        workers_.emplace_back([this, number] { serve(number); });
    }
}

void TestServer::serve(int fd) {
    const unsigned now = ++open_;
    for (unsigned most = most_; most < now && !most_.compare_exchange_weak(most, now);) {
    }
    const int on = 1;
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (tls_) {
        TlsConnection connection(tls_->context.get(), fd);
        if (connection.ready()) handler_(connection);
    } else {
        PlainConnection connection(fd);
        handler_(connection);
    }
    (void)::shutdown(fd, SHUT_RDWR);
    --open_;
}

}  // namespace cfs::test
