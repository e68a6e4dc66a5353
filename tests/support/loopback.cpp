// SPDX-License-Identifier: Apache-2.0
#include "support/loopback.hpp"

#include "base/error.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

namespace cfs::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

UniqueFd tcp_socket() {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) throw_errno("making a socket");
    return fd;
}

}  // namespace

BoundSocket bind_loopback() {
    BoundSocket bound{tcp_socket()};
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(bound.fd.get(), raw, size) != 0 || ::getsockname(bound.fd.get(), raw, &size) != 0) {
        throw_errno("looking for a free port");
    }
    bound.port = ntohs(address.sin_port);
    return bound;
}

BoundSocket listen_on_loopback() {
    BoundSocket bound = bind_loopback();
    if (::listen(bound.fd.get(), 64) != 0) throw_errno("listening");
    return bound;
}

UniqueFd connect_loopback(std::uint16_t port) {
    UniqueFd fd = tcp_socket();
    const sockaddr_in address = loopback(port);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        fd.reset();
    }
    return fd;
}

}  // namespace cfs::test
