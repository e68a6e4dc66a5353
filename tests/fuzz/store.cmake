# SPDX-License-Identifier: Apache-2.0
cfs_fuzz(fuzz_splitstream
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/store_splitstream_fuzz.cpp
  DEPS cfs_store
  CORPUS splitstream)
