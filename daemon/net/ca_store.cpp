// SPDX-License-Identifier: Apache-2.0
#include "net/ca_store.hpp"

#include <curl/curl.h>

#include <sys/stat.h>

#include <ctime>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>

namespace cfs::net {
namespace {

/// Tells a file from one that took its place or was written over.
using Version = std::tuple<dev_t, ino_t, off_t, time_t, long>;

std::optional<Version> version_of(const std::string& file) {
    struct stat st {};
    if (::stat(file.c_str(), &st) != 0) return std::nullopt;
    return Version(st.st_dev, st.st_ino, st.st_size, st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
}

CaStore load(const std::string& file, const std::string& directory) {
    CaStore store(X509_STORE_new(), &X509_STORE_free);
    // As libcurl sets them: an intermediate certificate that is trusted ends a chain.
    const bool ready =
        store &&
        X509_STORE_set_flags(store.get(), X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN) ==
            1 &&
        X509_STORE_load_file(store.get(), file.c_str()) == 1 &&
        (directory.empty() || X509_STORE_load_path(store.get(), directory.c_str()) == 1);
    return ready ? store : nullptr;
}

}  // namespace

CaStore find_ca_store(const std::string& file, const std::string& directory) {
    static std::mutex mutex;
    static std::map<std::pair<std::string, std::string>, std::pair<Version, CaStore>> known;
    const auto version = version_of(file);
    if (!version) return nullptr;
    const std::lock_guard guard(mutex);
    auto& [found, store] = known[{file, directory}];
    if (!store || found != *version) {
        found = *version;
        store = load(file, directory);
    }
    return store;
}

CaStore default_ca_store() {
    const auto* info = ::curl_version_info(CURLVERSION_NOW);
    if (info->cainfo == nullptr) return nullptr;
    return find_ca_store(info->cainfo, info->capath != nullptr ? info->capath : "");
}

}  // namespace cfs::net
