// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.hpp"

#include <cstdint>

namespace cfs::test {

/// A TCP socket on a free port of 127.0.0.1.
struct BoundSocket {
    UniqueFd fd;
    std::uint16_t port = 0;
};

/// \throws Error Io
[[nodiscard]] BoundSocket bind_loopback();
/// \throws Error Io
[[nodiscard]] BoundSocket listen_on_loopback();
/// Invalid when nobody listens there.
[[nodiscard]] UniqueFd connect_loopback(std::uint16_t port);

}  // namespace cfs::test
