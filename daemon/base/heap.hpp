// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace cfs {

/// For a program's start: threads share two heaps. Each heap keeps what its threads freed, and the
/// stages of a layer free on one thread what another allocated.
void limit_heaps() noexcept;

/// Gives what was freed back to the kernel. Worth its milliseconds after a stage with threads or a
/// tree of its own: glibc keeps the memory of ended threads for threads that may come.
void trim_heap() noexcept;

}  // namespace cfs
