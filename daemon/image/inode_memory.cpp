// SPDX-License-Identifier: Apache-2.0
#include "image/inode_memory.hpp"

#include "base/huge_pages.hpp"

#include <atomic>
#include <cstdint>
#include <new>

namespace cfs::image::slab {

// The sanitizers know each object only when each has an allocation of its own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

void* take(std::size_t size) {
    return ::operator new(size);
}

void give_back(void* memory) noexcept {
    ::operator delete(memory);
}

#else

namespace {

constexpr std::size_t kSlab = kHugePage;  ///< slabs are aligned to it
constexpr std::size_t kAlign = 64;        ///< a cache line: none is fetched for two objects

struct alignas(kAlign) Slab {
    std::atomic<std::size_t> holders = 1;  ///< objects in it, and the thread that fills it
    std::size_t used = sizeof(Slab);       ///< that thread's alone
};

void release(Slab* slab) noexcept {
    if (slab->holders.fetch_sub(1, std::memory_order_acq_rel) == 1) unmap_pages(slab, kSlab);
}

/// The slab that this thread fills.
class Filling {
 public:
    Filling() = default;
    Filling(const Filling&) = delete;
    Filling& operator=(const Filling&) = delete;

    ~Filling() {
        if (slab_ != nullptr) release(slab_);
    }

    void* take(std::size_t size) {
        size = (size + kAlign - 1) / kAlign * kAlign;
        if (slab_ == nullptr || slab_->used + size > kSlab) next();
        void* memory = reinterpret_cast<std::uint8_t*>(slab_) + slab_->used;
        slab_->used += size;
        slab_->holders.fetch_add(1, std::memory_order_relaxed);
        return memory;
    }

 private:
    void next() {
        if (slab_ != nullptr && slab_->holders.load(std::memory_order_acquire) == 1) {
            slab_->used = sizeof(Slab);  // all that was in it is gone
            return;
        }
        Slab* fresh = new (map_pages(kSlab, slab_ != nullptr)) Slab;
        if (slab_ != nullptr) release(slab_);
        slab_ = fresh;
    }

    Slab* slab_ = nullptr;
};

thread_local Filling filling;

}  // namespace

void* take(std::size_t size) {
    return filling.take(size);
}

void give_back(void* memory) noexcept {
    release(reinterpret_cast<Slab*>(reinterpret_cast<std::uintptr_t>(memory) & ~(kSlab - 1)));
}

#endif

}  // namespace cfs::image::slab
