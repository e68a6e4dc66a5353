// SPDX-License-Identifier: Apache-2.0
/// \file Memory for tables of millions of entries: each page that is touched first costs a
/// microsecond, and a huge one stands for 512 of them.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace cfs {

inline constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Zeroed memory from the kernel, aligned to kHugePage. `huge`: as huge pages where the kernel has
/// them. \pre size is a multiple of kHugePage. Throws std::bad_alloc.
[[nodiscard]] void* map_pages(std::size_t size, bool huge);

/// \pre `memory` and `size` of one map_pages()
void unmap_pages(void* memory, std::size_t size) noexcept;

/// For containers: small ones live where others do, big ones on huge pages.
template <typename T>
class HugeAllocator {
 public:
    using value_type = T;

    HugeAllocator() = default;
    template <typename U>
    HugeAllocator(const HugeAllocator<U>& /*other*/) noexcept {}  // NOLINT: allocators convert

    [[nodiscard]] T* allocate(std::size_t count) {
        static_assert(alignof(T) <= alignof(std::max_align_t));
        if (count > static_cast<std::size_t>(-1) / 2 / sizeof(T)) throw std::bad_alloc();
        const std::size_t size = count * sizeof(T);
        if (size < kHugePage) return static_cast<T*>(::operator new(size));
        return static_cast<T*>(map_pages(rounded(size), true));
    }

    void deallocate(T* memory, std::size_t count) noexcept {
        const std::size_t size = count * sizeof(T);
        if (size < kHugePage) return ::operator delete(memory);
        unmap_pages(memory, rounded(size));
    }

    template <typename U>
    bool operator==(const HugeAllocator<U>& /*other*/) const noexcept {
        return true;
    }

 private:
    static std::size_t rounded(std::size_t size) {
        return (size + kHugePage - 1) / kHugePage * kHugePage;
    }
};

template <typename T>
using HugeVector = std::vector<T, HugeAllocator<T>>;

}  // namespace cfs
