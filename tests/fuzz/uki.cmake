# SPDX-License-Identifier: Apache-2.0
foreach(target pe cmdline os_release authenticode)
  cfs_fuzz(fuzz_${target} SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/uki_${target}_fuzz.cpp DEPS cfs_uki
           CORPUS ${target})
endforeach()
cfs_fuzz(fuzz_peek SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/uki_peek_fuzz.cpp DEPS cfs_uki CORPUS peek)
