// SPDX-License-Identifier: Apache-2.0
#include "net/certs_dir.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace cfs::net {
namespace {

constexpr std::size_t kMaxCa = std::size_t{4} << 20;

/// "client.cert" with ".cert" -> "client.key" with ".key".
std::string partner(const std::string& name, std::string_view from, std::string_view to) {
    return name.substr(0, name.size() - from.size()) + std::string(to);
}

HostCerts read_folder(const std::string& folder, const std::vector<std::string>& names) {
    HostCerts out;
    const auto need = [&](const std::string& name, const std::string& other) {
        if (std::binary_search(names.begin(), names.end(), other)) return;
        throw Error(ErrorCode::InvalidArgs,
                    "'" + folder + "/" + name + "' has no '" + other + "' beside it",
                    "a client certificate (*.cert) and its key (*.key) share their name; "
                    "authorities are *.crt: containers-certs.d(5)");
    };
    for (const std::string& name : names) {
        if (name.ends_with(".crt")) out.ca_pem += read_pem(folder + "/" + name) + "\n";
        if (name.ends_with(".key")) need(name, partner(name, ".key", ".cert"));
        if (!name.ends_with(".cert")) continue;
        const std::string key = partner(name, ".cert", ".key");
        need(name, key);
        if (!out.client_cert.empty()) continue;
        out.client_cert = folder + "/" + name;
        out.client_key = folder + "/" + key;
    }
    return out;
}

}  // namespace

std::string read_pem(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd) throw_errno("opening the certificate '" + path + "'");
    return with_context("reading the certificate '" + path + "'",
                        [&] { return std::string(as_text(read_whole(fd.get(), kMaxCa))); });
}

HostCerts find_host_certs(const std::vector<std::string>& folders, const std::string& host) {
    // A redirect's target is a stranger's word: it names no other directory than its own.
    if (host.empty() || host.front() == '.' || host.find('/') != std::string::npos) return {};
    for (const std::string& one : folders) {
        const std::string folder = one + "/" + host;
        const UniqueFd dir(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (dir) return read_folder(folder, list_dir(dir.get()));
        if (errno != ENOENT && errno != ENOTDIR) throw_errno("opening '" + folder + "'");
    }
    return {};
}

}  // namespace cfs::net
