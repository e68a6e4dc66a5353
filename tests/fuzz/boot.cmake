# SPDX-License-Identifier: Apache-2.0
cfs_fuzz(fuzz_entry_name SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/boot_entry_name_fuzz.cpp
         DEPS cfs_boot CORPUS entry_name)
cfs_fuzz(fuzz_type1 SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/boot_type1_fuzz.cpp
         DEPS cfs_boot CORPUS type1)
