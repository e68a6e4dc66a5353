# SPDX-License-Identifier: Apache-2.0
cfs_fuzz(fuzz_decompress SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/archive_decompress_fuzz.cpp DEPS cfs_archive
  CORPUS decompress)
cfs_fuzz(fuzz_outer_archive SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/archive_outer_fuzz.cpp DEPS cfs_archive
  CORPUS outer_archive)
