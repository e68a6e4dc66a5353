// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "crypto/fsverity.hpp"

#include <linux/fsverity.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

namespace cfs {
namespace {

constexpr int kWriterRetries = 20;
constexpr std::chrono::milliseconds kWriterPause{1};

bool unsupported(int err) {
    return err == ENOTTY || err == EOPNOTSUPP;
}

}  // namespace

VerityEnable enable_verity(int fd, HashAlgorithm algorithm) {
    struct fsverity_enable_arg arg {};
    arg.version = 1;
    arg.hash_algorithm = static_cast<std::uint32_t>(algorithm);
    arg.block_size = 4096;
    for (int attempt = 0;; ++attempt) {
        if (::ioctl(fd, FS_IOC_ENABLE_VERITY, &arg) == 0) return VerityEnable::Enabled;
        if (errno == EEXIST) return VerityEnable::AlreadyEnabled;
        if (unsupported(errno)) return VerityEnable::Unsupported;
        if (errno == EINTR) continue;
        if (errno != ETXTBSY) throw_errno("enabling fs-verity");
        if (attempt == kWriterRetries) {
            throw Error(ErrorCode::Busy,
                        "enabling fs-verity: somebody holds the file open for writing");
        }
        std::this_thread::sleep_for(kWriterPause);
    }
}

std::optional<Digest> measure_verity(int fd) {
    alignas(struct fsverity_digest) std::array<std::uint8_t, sizeof(struct fsverity_digest) + 64>
        room{};
    auto* const out = reinterpret_cast<struct fsverity_digest*>(room.data());
    out->digest_size = 64;
    if (::ioctl(fd, FS_IOC_MEASURE_VERITY, out) != 0) {
        if (errno == ENODATA || unsupported(errno)) return std::nullopt;
        throw_errno("measuring fs-verity");
    }
    const auto algorithm = static_cast<HashAlgorithm>(out->digest_algorithm);
    const bool known = algorithm == HashAlgorithm::Sha256 || algorithm == HashAlgorithm::Sha512;
    if (!known || out->digest_size != digest_size(algorithm)) {
        throw Error(ErrorCode::Unsupported, "the file's fs-verity uses an unknown hash algorithm");
    }
    return Digest(algorithm,
                  ByteView(room).subspan(sizeof(struct fsverity_digest), out->digest_size));
}

}  // namespace cfs
