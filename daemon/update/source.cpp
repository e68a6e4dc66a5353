// SPDX-License-Identifier: Apache-2.0
#include "update/source.hpp"

#include "archive/outer_archive.hpp"
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "crypto/hasher.hpp"
#include "net/auth_file.hpp"
#include "update/state_dir.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace cfs::update {
namespace {

/// The same number on one machine, others elsewhere: a fleet's retries must not come in step.
std::uint64_t machine_seed() {
    std::ifstream in("/etc/machine-id");
    std::string id;
    std::getline(in, id);
    return load_le<std::uint64_t>(hash(HashAlgorithm::Sha256, as_bytes("cfsupdated" + id)).bytes(),
                                  0);
}

}  // namespace

net::NetOptions net_options(const settings::Settings& settings) {
    net::NetOptions options;
    options.ca_file = settings.net.ca_file;
    options.insecure_registries = settings.net.insecure_registries;
    options.certs_dirs = settings.net.certs_dirs;
    options.proxy = settings.net.proxy;
    options.rate_limit = settings.net.rate_limit;
    options.connections = settings.net.connections;
    options.registries_conf = settings.net.registries_conf;
    options.auth_files = settings.net.auth_files;
    if (const std::string given = net::systemd_auth_file(); !given.empty()) {
        options.auth_files.insert(options.auth_files.begin(), given);
    }
    options.max_attempts = settings.net.attempts;
    options.connect_timeout = settings.net.connect_timeout;
    options.low_speed_time = settings.net.stall_timeout;
    options.low_speed_bytes = 1024;
    options.retry_seed = machine_seed();
    return options;
}

std::string scratch_dir(const settings::Settings& settings) {
    return settings.sysroot + "/" + kPrivatePath + "/work";
}

net::KeepOptions keep_options(const settings::Settings& settings) {
    net::KeepOptions options;
    options.dir = settings.sysroot + "/" + kPrivatePath + "/blobs";
    options.most = settings.net.keep_partial;
    options.keep_free = settings.store.reserve;
    return options;
}

OpenedSource::OpenedSource(const std::string& reference,
                           const settings::Settings& settings,
                           const std::string& scratch,
                           const std::stop_token& stop,
                           const net::KeepOptions& keep) {
    const net::ImageRef ref = net::parse_image_ref(reference);
    if (ref.transport == net::Transport::OciArchive) {
        open_archive(ref, scratch, stop);
    } else {
        net::NetOptions options = net_options(settings);
        options.keep = keep;
        source_ = net::open_source(ref, options);
    }
}

void OpenedSource::open_archive(const net::ImageRef& ref,
                                const std::string& scratch,
                                const std::stop_token& stop) {
    const UniqueFd archive(::open(ref.path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!archive) throw_errno("opening the archive '" + ref.path + "'");
    const std::string parent =
        scratch.empty() ? std::filesystem::temp_directory_path().native() : scratch;
    std::string path = parent + "/cfs-oci-archive-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) throw_errno("making a directory in '" + parent + "'");
    unpacked_ = path;
    try {
        UniqueFd dir = open_root(unpacked_);
        archive::unpack_oci_archive(archive.get(), dir.get(), {}, stop);
        source_ = net::open_layout(std::move(dir), ref.tag, net::to_string(ref));
    } catch (...) {
        std::error_code ignored;
        std::filesystem::remove_all(unpacked_, ignored);
        throw;
    }
}

OpenedSource::~OpenedSource() {
    std::error_code ignored;
    if (!unpacked_.empty()) std::filesystem::remove_all(unpacked_, ignored);
}

}  // namespace cfs::update
