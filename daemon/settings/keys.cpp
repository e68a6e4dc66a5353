// SPDX-License-Identifier: Apache-2.0
#include "settings/keys.hpp"

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "settings/key_types.hpp"
#include "settings/policy_keys.hpp"
#include "settings/valid.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace cfs::settings {
namespace {

std::vector<Key> location_keys() {
    return {
        text_key("image",
                 "an image reference, e.g. \"docker://registry.example/os:stable\"",
                 CFS_FIELD(image),
                 is_plain),
        path_key("sysroot", CFS_FIELD(sysroot)),
        text_key("esp", "\"auto\" or an absolute path", CFS_FIELD(esp), is_path_or_auto),
        path_key("efivars", CFS_FIELD(efivars)),
        path_key("cmdline", CFS_FIELD(cmdline)),
        path_key("mountinfo", CFS_FIELD(mountinfo)),
        path_key("run", CFS_FIELD(run)),
    };
}

std::vector<Key> store_and_trust_keys() {
    using namespace std::chrono_literals;
    return {
        choice_key("store.verity",
                   "\"require\", \"try\" or \"off\"",
                   std::array<std::pair<std::string_view, Verity>, 3>{
                       {{"require", Verity::Require}, {"try", Verity::Try}, {"off", Verity::Off}}},
                   CFS_FIELD(store.verity)),
        choice_key("store.hash",
                   "\"sha256\" or \"sha512\"",
                   std::array<std::pair<std::string_view, HashAlgorithm>, 2>{
                       {{"sha256", HashAlgorithm::Sha256}, {"sha512", HashAlgorithm::Sha512}}},
                   CFS_FIELD(store.hash)),
        duration_key("store.lock_timeout",
                     "a duration up to \"1h\", e.g. \"10s\"",
                     0ms,
                     1h,
                     CFS_FIELD(store.lock_timeout)),
        size_key("store.reserve",
                 "a size up to \"1T\", e.g. \"64M\"",
                 0,
                 std::uint64_t{1} << 40,
                 CFS_FIELD(store.reserve)),
        size_key("store.verify_rate",
                 "0, or bytes per second from \"64K\" to \"1T\"",
                 CFS_FIELD(store.verify_rate),
                 is_rate),
        choice_key("trust.mode",
                   "\"sealed\", \"verified\" or \"unsealed\"",
                   std::array<std::pair<std::string_view, TrustMode>, 3>{
                       {{"sealed", TrustMode::Sealed},
                        {"verified", TrustMode::Verified},
                        {"unsealed", TrustMode::Unsealed}}},
                   CFS_FIELD(trust.mode)),
        list_key("trust.certificates",
                 "a list of absolute paths",
                 CFS_FIELD(trust.certificates),
                 is_absolute_path),
        bool_key("trust.allow_ec", CFS_FIELD(trust.allow_ec)),
    };
}

std::vector<Key> boot_and_update_keys() {
    return {
        count_key("boot.tries", "a number from 1 to 9", 1, 9, CFS_FIELD(boot.tries)),
        size_key("boot.max_uki_size",
                 "a size from \"1M\" to \"2047M\", e.g. \"512M\"",
                 std::uint64_t{1} << 20,
                 kMaxUkiBytes,
                 CFS_FIELD(boot.max_uki_size)),
        size_key("boot.esp_reserve",
                 "a size up to \"1T\", e.g. \"1M\"",
                 0,
                 std::uint64_t{1} << 40,
                 CFS_FIELD(boot.esp_reserve)),
        count_key("update.keep", "a number from 2 to 100", 2, 100, CFS_FIELD(update.keep)),
        bool_key("update.auto_finalize", CFS_FIELD(update.auto_finalize)),
        duration_key("update.inhibit_max_age",
                     "a duration from \"1min\" to \"168h\", e.g. \"24h\"",
                     std::chrono::minutes(1),
                     std::chrono::hours(168),
                     CFS_FIELD(update.inhibit_max_age)),
    };
}

std::vector<Key> etc_keys() {
    return {
        list_key(
            "etc.rules",
            "a list of \"WORD PATH\": keep, take, both, ignore or restore, and a path below /etc",
            CFS_FIELD(etc.rules),
            is_etc_rule),
        choice_key("etc.on_conflict",
                   "\"continue\" or \"stop\"",
                   std::array<std::pair<std::string_view, OnConflict>, 2>{
                       {{"continue", OnConflict::Continue}, {"stop", OnConflict::Stop}}},
                   CFS_FIELD(etc.on_conflict)),
    };
}

std::vector<Key> health_keys() {
    using namespace std::chrono_literals;
    return {
        duration_key("health.deadline",
                     "a duration from \"1min\" to \"24h\", e.g. \"15min\"",
                     1min,
                     24h,
                     CFS_FIELD(health.deadline)),
        bool_key("health.reboot", CFS_FIELD(health.reboot)),
        list_key("health.directories",
                 "a list of absolute paths",
                 CFS_FIELD(health.directories),
                 is_absolute_path),
        duration_key("health.check_timeout",
                     "a duration from \"1s\" to \"1h\", e.g. \"1min\"",
                     1s,
                     1h,
                     CFS_FIELD(health.check_timeout)),
    };
}

std::vector<Key> limit_and_net_keys() {
    using namespace std::chrono_literals;
    const auto is_host = [](std::string_view text) {
        return !text.empty() && is_plain(text) && text.find_first_of(" /@") == text.npos;
    };
    return {
        count_key("limits.layer_entries",
                  "a number from 1 to 1000000000",
                  1,
                  1'000'000'000,
                  CFS_FIELD(limits.layer_entries)),
        size_key("limits.layer_bytes",
                 "a size from \"1M\" to \"1024T\", e.g. \"64G\"",
                 std::uint64_t{1} << 20,
                 std::uint64_t{1} << 50,
                 CFS_FIELD(limits.layer_bytes)),
        size_key("limits.layer_metadata",
                 "a size from \"1M\" to \"1T\", e.g. \"1G\"",
                 std::uint64_t{1} << 20,
                 std::uint64_t{1} << 40,
                 CFS_FIELD(limits.layer_metadata)),
        text_key("net.ca_file",
                 "an absolute path, or \"\" for the system's",
                 CFS_FIELD(net.ca_file),
                 is_path_or_empty),
        list_key("net.insecure_registries",
                 "a list of \"host:port\"",
                 CFS_FIELD(net.insecure_registries),
                 is_host),
        list_key("net.certs_dirs",
                 "a list of absolute paths",
                 CFS_FIELD(net.certs_dirs),
                 is_absolute_path),
        text_key("net.proxy",
                 "a URL (http, https, socks5, socks5h), \"direct\", or \"\" for the environment's",
                 CFS_FIELD(net.proxy),
                 is_proxy),
        size_key("net.rate_limit",
                 "0, or bytes per second from \"64K\" to \"1T\"",
                 CFS_FIELD(net.rate_limit),
                 is_rate),
        text_key("net.registries_conf",
                 "an absolute path, or \"\" for none",
                 CFS_FIELD(net.registries_conf),
                 is_path_or_empty),
        list_key("net.auth_files",
                 "a list of absolute paths",
                 CFS_FIELD(net.auth_files),
                 is_absolute_path),
        size_key("net.keep_partial",
                 "0, or bytes from \"8M\" to \"1T\"",
                 CFS_FIELD(net.keep_partial),
                 [](std::uint64_t most) {
                     return most == 0 ||
                            (most >= std::uint64_t{8} << 20 && most <= std::uint64_t{1} << 40);
                 }),
        count_key("net.attempts", "a number from 1 to 100", 1, 100, CFS_FIELD(net.attempts)),
        count_key("net.connections", "a number from 1 to 16", 1, 16, CFS_FIELD(net.connections)),
        duration_key("net.connect_timeout",
                     "whole seconds from \"1s\" to \"10min\"",
                     1s,
                     10min,
                     CFS_FIELD(net.connect_timeout)),
        duration_key("net.stall_timeout",
                     "whole seconds from \"1s\" to \"1h\"",
                     1s,
                     1h,
                     CFS_FIELD(net.stall_timeout)),
    };
}

std::vector<Key> tell_keys() {
    return {
        text_key("tell.motd",
                 "\"auto\", an absolute path, or \"\" for none",
                 CFS_FIELD(tell.motd),
                 [](std::string_view text) { return text.empty() || is_path_or_auto(text); }),
        text_key("tell.metrics",
                 "an absolute path, or \"\" for none",
                 CFS_FIELD(tell.metrics),
                 is_path_or_empty),
    };
}

#undef CFS_FIELD

std::vector<Key> make_keys() {
    std::vector<Key> all;
    for (std::vector<Key> some : {location_keys(),
                                  store_and_trust_keys(),
                                  boot_and_update_keys(),
                                  policy_keys(),
                                  etc_keys(),
                                  health_keys(),
                                  limit_and_net_keys(),
                                  tell_keys()}) {
        std::move(some.begin(), some.end(), std::back_inserter(all));
    }
    return all;
}

}  // namespace

const std::vector<Key>& keys() {
    static const std::vector<Key> all = make_keys();
    return all;
}

const Key* find_key(std::string_view name) {
    const auto found = std::find_if(
        keys().begin(), keys().end(), [&](const Key& key) { return key.name == name; });
    return found == keys().end() ? nullptr : &*found;
}

}  // namespace cfs::settings
