// SPDX-License-Identifier: Apache-2.0
/// \file What an administrator or an image can set. A plain value: built once, read by everybody.
/// Keys as in cfsupdated.toml(5): a member `store.verity` here is `verity` in the table `[store]`
/// there.
#pragma once

#include "crypto/digest.hpp"
#include "settings/policy_settings.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace cfs::settings {

/// May objects lie in the store without fs-verity?
enum class Verity {
    Require,  ///< refuse a store or a file system without it
    Try,  ///< use it where the file system has it; for tests, image builders and unsealed machines
    Off,  ///< never enable it
};

/// Which trust an image needs; see cfsupdated(8).
enum class TrustMode {
    Sealed,    ///< signed by a pinned certificate; verity is never optional; /etc only tightens
    Verified,  ///< signed by a pinned certificate
    Unsealed,  ///< no certificate needed; a signature that is there must still be intact
};

struct StoreSettings {
    Verity verity = Verity::Require;
    HashAlgorithm hash = HashAlgorithm::Sha512;  ///< for a store that is made anew
    std::chrono::milliseconds lock_timeout{10'000};
    /// Bytes that an update leaves free where the store lies; on a small file system a 64th of it.
    std::uint64_t reserve = std::uint64_t{64} << 20;
    std::uint64_t verify_rate = 0;  ///< bytes per second that verify and repair read; 0: no limit
};

struct TrustSettings {
    TrustMode mode = TrustMode::Sealed;
    /// Certificate files (PEM or DER), and directories whose *.pem, *.crt and *.cer files count.
    std::vector<std::string> certificates = {"/usr/lib/cfsupdated/trust.d"};
    bool allow_ec = false;  ///< accept EC keys, which common firmware refuses
};

struct BootSettings {
    unsigned tries = 2;                                     ///< boot attempts of a new slot, 1..9
    std::uint64_t max_uki_size = std::uint64_t{512} << 20;  ///< bytes
    std::uint64_t esp_reserve = std::uint64_t{1} << 20;     ///< bytes left free on the ESP
};

struct UpdateSettings {
    unsigned keep = 2;  ///< deployments kept, the booted one included, pins not; at least 2
    /// Of one inhibitor, and of what all of them together delay an update.
    std::chrono::milliseconds inhibit_max_age{std::chrono::hours(24)};
    bool auto_finalize = true;  ///< Update arms the new slot at once unless told otherwise
};

/// What a merge of /etc does where it cannot have both sides.
enum class OnConflict {
    Continue,  ///< keeps what is local, puts the vendor's beside it, says so
    Stop,      ///< stages and arms nothing until somebody decided
};

/// The merge of /etc; see cfsupdated.toml(5) and daemon/etc/README.md.
struct EtcSettings {
    /// "WORD PATTERN" with keep, take, both, ignore or restore; the last one that fits decides.
    std::vector<std::string> rules;
    OnConflict on_conflict = OnConflict::Continue;
};

/// How a boot is judged; see cfsupdated(8), HEALTH.
struct HealthSettings {
    /// Since the start of the kernel, or of a soft reboot: a boot on trial that is not complete by
    /// then has failed, and a slot that is not proven holds updates back no longer.
    std::chrono::milliseconds deadline{std::chrono::minutes(15)};
    bool reboot = true;  ///< start again after a failed boot on trial
    /// Directories with required.d and wanted.d; of checks with one name the last counts.
    std::vector<std::string> directories = {"/usr/lib/greenboot/check",
                                            "/usr/lib/cfsupdated/health",
                                            "/etc/greenboot/check",
                                            "/etc/cfsupdated/health"};
    std::chrono::milliseconds check_timeout{std::chrono::minutes(1)};  ///< of one check
};

/// Caps on what one layer may unpack to; a layer beyond them is refused while it streams.
struct LimitSettings {
    std::uint64_t layer_entries = 5'000'000;
    std::uint64_t layer_bytes = std::uint64_t{64} << 30;
    std::uint64_t layer_metadata = std::uint64_t{1} << 30;
};

struct NetSettings {
    std::string ca_file;  ///< empty: the system's
    std::vector<std::string>
        insecure_registries;  ///< "host:port" that may speak plain HTTP; loopback always may
    std::string registries_conf = "/etc/containers/registries.conf";  ///< empty: none
    /// Directories of registries' certificates; the first that knows a host decides.
    std::vector<std::string> certs_dirs = {"/etc/containers/certs.d", "/etc/docker/certs.d"};
    std::string proxy;             ///< URL; "direct": none; empty: as the environment says
    std::uint64_t rate_limit = 0;  ///< bytes per second over all transfers; 0: none
    /// Files of registry credentials, in the order in which they are asked; missing ones are
    /// passed over.
    std::vector<std::string> auth_files = {"/etc/cfsupdated/auth.json",
                                           "/run/containers/0/auth.json"};
    /// Of one interrupted layer this many bytes stay on disk for the next try; 0: none.
    std::uint64_t keep_partial = std::uint64_t{4} << 30;
    unsigned attempts = 5;
    unsigned connections = 2;  ///< layers fetched and unpacked at once, and connections to a host
    std::chrono::seconds connect_timeout{30};
    std::chrono::seconds stall_timeout{60};  ///< give up when this long fewer than 1 KiB/s arrive
};

/// Files for others that say how this machine stands; see cfsupdated(8).
struct TellSettings {
    std::string motd = "auto";  ///< "auto": the usual place; empty: none
    std::string metrics;        ///< OpenMetrics text; empty: none
};

struct Settings {
    std::string
        image;  ///< what Check and Update follow, e.g. "docker://registry.example/os:stable"
    std::string sysroot = "/sysroot";
    std::string esp = "auto";  ///< or a directory; "auto": boot::find_boot_volumes()
    std::string efivars = "/sys/firmware/efi/efivars";
    std::string cmdline = "/proc/cmdline";
    std::string mountinfo = "/proc/self/mountinfo";
    std::string run = "/run/cfsupdated";
    StoreSettings store;
    TrustSettings trust;
    BootSettings boot;
    UpdateSettings update;
    PolicySettings policy;
    EtcSettings etc;
    HealthSettings health;
    LimitSettings limits;
    NetSettings net;
    TellSettings tell;
};

}  // namespace cfs::settings
