// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash_lanes.hpp"

#include "base/error.hpp"

#define NO_COMPAT_IMB_API_053  // its old names are OpenSSL's
#include <intel-ipsec-mb.h>
#include <memory>

namespace cfs {
namespace {

struct Width {
    std::size_t lanes = 0;
    std::size_t least = 1;  ///< blocks from which on the lanes are faster than OpenSSL, measured
};

struct FreeManager {
    void operator()(IMB_MGR* manager) const { ::free_mb_mgr(manager); }
};

/// A thread's own: the library's state is for one thread.
class Lanes {
 public:
    Lanes() : manager_(::alloc_mb_mgr(0)) {
        if (manager_) ::init_mb_mgr_auto(manager_.get(), &arch_);
    }

    [[nodiscard]] Width width(HashAlgorithm algorithm) const {
        const bool wide = algorithm == HashAlgorithm::Sha512;
        if (arch_ == IMB_ARCH_AVX512) return wide ? Width{8, 2} : Width{16, 6};
        if (arch_ != IMB_ARCH_AVX2) return {};
        if (wide) return {4, 3};
        return (manager_->features & IMB_FEATURE_SHANI) != 0 ? Width{2, 2} : Width{8, 5};
    }

    void hash(HashAlgorithm algorithm, ByteView blocks, std::size_t block_size, std::uint8_t* out) {
        refused_ = false;
        for (; !blocks.empty(); blocks = blocks.subspan(block_size)) {
            submit(algorithm, blocks.first(block_size), out);
            out += digest_size(algorithm);
        }
        while (const IMB_JOB* done = IMB_FLUSH_JOB(manager_.get()))
            note(*done);
        // Not before all are out: the manager lives on, and its jobs point to the caller's memory.
        if (refused_) throw Error(ErrorCode::Internal, "libipsec-mb refuses to hash");
    }

 private:
    void note(const IMB_JOB& done) { refused_ |= done.status != IMB_STATUS_COMPLETED; }

    void submit(HashAlgorithm algorithm, ByteView block, std::uint8_t* out) {
        IMB_JOB* job = IMB_GET_NEXT_JOB(manager_.get());
        *job = IMB_JOB{};
        job->cipher_mode = IMB_CIPHER_NULL;
        job->cipher_direction = IMB_DIR_ENCRYPT;
        job->chain_order = IMB_ORDER_HASH_CIPHER;
        job->hash_alg = algorithm == HashAlgorithm::Sha256 ? IMB_AUTH_SHA_256 : IMB_AUTH_SHA_512;
        job->src = block.data();
        job->msg_len_to_hash_in_bytes = block.size();
        job->auth_tag_output = out;
        job->auth_tag_output_len_in_bytes = digest_size(algorithm);
        for (const IMB_JOB* done = IMB_SUBMIT_JOB(manager_.get()); done != nullptr;
             done = IMB_GET_COMPLETED_JOB(manager_.get())) {
            note(*done);
        }
    }

    std::unique_ptr<IMB_MGR, FreeManager> manager_;
    IMB_ARCH arch_ = IMB_ARCH_NONE;
    bool refused_ = false;  ///< one of the present jobs failed
};

}  // namespace

std::size_t hash_in_lanes(HashAlgorithm algorithm,
                          ByteView blocks,
                          std::size_t block_size,
                          std::span<std::uint8_t> out) {
    if (blocks.size() < 2 * block_size) return 0;
    thread_local Lanes lanes;
    const Width width = lanes.width(algorithm);
    std::size_t count = blocks.size() / block_size;
    if (width.lanes == 0) return 0;
    if (const std::size_t rest = count % width.lanes; rest < width.least) count -= rest;
    if (count > 0) lanes.hash(algorithm, blocks.first(count * block_size), block_size, out.data());
    return count;
}

}  // namespace cfs
