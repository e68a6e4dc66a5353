# SPDX-License-Identifier: Apache-2.0
# The trees and the promises are the unit test's.
cfs_fuzz(fuzz_etc_merge
  SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/etc_merge_fuzz.cpp
          ${PROJECT_SOURCE_DIR}/tests/unit/etc/promises.cpp
          ${PROJECT_SOURCE_DIR}/tests/unit/etc/random_trees.cpp
          ${PROJECT_SOURCE_DIR}/tests/unit/etc/tree.cpp
          ${PROJECT_SOURCE_DIR}/tests/support/temp_dir.cpp
  DEPS cfs_etc CORPUS etc_merge)
cfs_fuzz(fuzz_etc_accounts
  SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/etc_accounts_fuzz.cpp
  DEPS cfs_etc CORPUS etc_accounts)
