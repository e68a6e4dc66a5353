// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace cfs::test {

/// A sanitizer keeps what was given back, to notice who still uses it: how much memory a program
/// has says nothing about the program then.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace cfs::test
