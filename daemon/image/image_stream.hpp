// SPDX-License-Identifier: Apache-2.0
/// \file The image on its way out: a window that moves over it, hashed and written by a second
/// thread; when that one falls behind, the first hashes too. Internal to the EROFS writer.
#pragma once

#include "base/bytes.hpp"
#include "crypto/fsverity.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace cfs::image::erofs {

class ImageStream {
 public:
    /// `sink` may be nullptr: then only the digest is made. Another thread may write to it until
    /// finish() or the destructor returns; what it throws comes out of room() or finish().
    ImageStream(Sink* sink, HashAlgorithm algorithm, std::uint64_t image_size);
    ImageStream(const ImageStream&) = delete;
    ImageStream& operator=(const ImageStream&) = delete;
    ~ImageStream();

    /// Zeroed bytes at `offset` of the image; good until the next call. What lies between them and
    /// the end of the previous ones is zero. \pre offset is not below that end; size <= kMostRoom
    [[nodiscard]] std::uint8_t* room(std::uint64_t offset, std::size_t size) {
        while (offset + size > begin_ + window_.size()) {
            used_ = std::min<std::uint64_t>(offset - begin_, window_.size());
            advance();
        }
        used_ = offset + size - begin_;
        return window_.data() + (offset - begin_);
    }

    /// The rest of the image is zero. \returns its fs-verity digest
    [[nodiscard]] Digest finish(std::uint64_t image_size);

    /// More than the biggest inode with all its attributes.
    static constexpr std::size_t kMostRoom = std::size_t{512} * 1024;

 private:
    struct Piece {
        Bytes window;
        std::size_t size = 0;   ///< of what is to be handed on
        std::size_t dirty = 0;  ///< bytes of the window that may not be zero
        Bytes hashes;           ///< of the blocks, when they are known already
    };

    void advance(bool last = false);
    [[nodiscard]] bool is_behind();
    void hash_ahead(Piece& piece);
    [[nodiscard]] Bytes take_spare();
    void give(Piece piece);
    void hand_on(const Piece& piece);
    void hand_on_all() noexcept;

    Sink* sink_;
    const HashAlgorithm algorithm_;
    VerityHasher hasher_;      ///< the second thread's, if there is one
    Hasher own_hasher_;        ///< of the thread that writes the image
    Bytes window_;             ///< zero behind `used_`
    std::uint64_t begin_ = 0;  ///< offset of the window in the image
    std::uint64_t used_ = 0;   ///< bytes of the window that are written

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Piece> ready_;
    std::deque<Piece> spare_;
    bool complete_ = false;
    std::exception_ptr failure_;
    std::thread thread_;
};

}  // namespace cfs::image::erofs
