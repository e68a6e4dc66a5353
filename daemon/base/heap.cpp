// SPDX-License-Identifier: Apache-2.0
#include "base/heap.hpp"

#include <malloc.h>

namespace cfs {

void limit_heaps() noexcept {
    (void)::mallopt(M_ARENA_MAX, 2);
}

void trim_heap() noexcept {
    (void)::malloc_trim(0);
}

}  // namespace cfs
