// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace cfs {

/// Marks a place where a durable step just happened or is about to. Normally nothing; a process
/// started with CFS_CRASH_POINT=NAME is killed (SIGKILL to itself) when it reaches NAME, and one
/// started with CFS_CRASH_TRACE=FILE appends every name it passes, so that tests can enumerate
/// them. Both variables are ignored by set-id processes. Thread-safe.
void crash_point(std::string_view name);

}  // namespace cfs
