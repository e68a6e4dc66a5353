# SPDX-License-Identifier: Apache-2.0
cfs_fuzz(fuzz_windows SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/policy_windows_fuzz.cpp DEPS cfs_policy CORPUS windows)
