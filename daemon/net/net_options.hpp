// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "net/kept_blob.hpp"
#include "net/oci_types.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cfs::net {

/// How to fetch; the `net.*` settings. A value.
struct NetOptions {
    std::string ca_file;  ///< PEM bundle that replaces the system's; empty: the system's
    std::string user_agent = "cfsupdated";
    std::chrono::milliseconds connect_timeout{15'000};  ///< name lookup, TCP and TLS together
    std::uint32_t low_speed_bytes = 256;                ///< per second; slower than that ...
    std::chrono::seconds low_speed_time{30};            ///< ... for so long is a stall
    unsigned max_attempts = 4;                          ///< attempts in a row without progress
    std::chrono::milliseconds retry_base{500};          ///< first back-off; doubles
    std::uint64_t retry_seed = 0;                       ///< jitter; give each machine its own
    std::vector<std::string> insecure_registries;  ///< "HOST" or "HOST:PORT" that may speak HTTP
    /// The same form: their certificates need not be known (`insecure` in registries.conf).
    std::vector<std::string> unverified_registries;
    std::string registries_conf;          ///< containers-registries.conf(5); empty: none
    std::vector<std::string> certs_dirs;  ///< containers-certs.d(5), the first that knows a host
    std::string proxy;  ///< URL; "direct": none; empty: as the environment says (see libcurl)
    std::uint64_t rate_limit = 0;  ///< bytes per second over all transfers; 0: none
    unsigned connections = 0;      ///< at once to one host; 0: no limit
    /// Longer than this is not waited when a server says Retry-After: the attempt fails for good.
    std::chrono::seconds longest_wait{300};
    /// Files of credentials, looked through in this order; see containers-auth.json(5).
    std::vector<std::string> auth_files;
    KeepOptions keep;                      ///< what to do for another life of the process
    const Clock* clock = &system_clock();  ///< outlives everything made with these options
    std::optional<Platform> platform;      ///< instead of host_platform()
};

}  // namespace cfs::net
