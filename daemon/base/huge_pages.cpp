// SPDX-License-Identifier: Apache-2.0
#include "base/huge_pages.hpp"

#include <sys/mman.h>

#include <cstdint>

namespace cfs {

/// mmap() aligns to small pages only: takes more than wanted and gives back what is around.
void* map_pages(std::size_t size, bool huge) {
    constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* mapped = ::mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, kFlags, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    auto* begin = static_cast<std::uint8_t*>(mapped);
    const std::size_t before = -reinterpret_cast<std::uintptr_t>(begin) % kHugePage;
    if (before > 0) ::munmap(begin, before);
    ::munmap(begin + before + size, kHugePage - before);
    if (huge) (void)::madvise(begin + before, size, MADV_HUGEPAGE);  // a wish
    return begin + before;
}

void unmap_pages(void* memory, std::size_t size) noexcept {
    ::munmap(memory, size);
}

}  // namespace cfs
