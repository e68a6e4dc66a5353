// SPDX-License-Identifier: Apache-2.0
/// \file Memory for the leaves of big trees. Internal to the tree.
#pragma once

#include <cstddef>

namespace cfs::image {

/// Allocates for std::allocate_shared(): objects of a thread lie side by side in the order of their
/// making, without a header each, in slabs that are given back as soon as nothing in them lives.
/// From a thread's second slab on they are huge pages where the kernel has them: a tree of 100,000
/// files costs 12 page faults instead of 6,000. Any thread may deallocate.
template <typename T>
class SlabAllocator;

namespace slab {

/// Uninitialised, aligned for pointers. \pre size is at most a few KiB. Throws std::bad_alloc.
[[nodiscard]] void* take(std::size_t size);

void give_back(void* memory) noexcept;

}  // namespace slab

template <typename T>
class SlabAllocator {
 public:
    using value_type = T;

    SlabAllocator() = default;
    template <typename U>
    SlabAllocator(const SlabAllocator<U>& /*other*/) noexcept {}  // NOLINT: allocators convert

    [[nodiscard]] T* allocate(std::size_t count) {
        static_assert(alignof(T) <= alignof(std::max_align_t));
        return static_cast<T*>(slab::take(count * sizeof(T)));
    }

    void deallocate(T* memory, std::size_t /*count*/) noexcept { slab::give_back(memory); }

    template <typename U>
    bool operator==(const SlabAllocator<U>& /*other*/) const noexcept {
        return true;
    }
};

}  // namespace cfs::image
