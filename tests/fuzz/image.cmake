# SPDX-License-Identifier: Apache-2.0
foreach(target tar erofs dump contexts tree)
  cfs_fuzz(fuzz_${target} SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/image_${target}_fuzz.cpp DEPS cfs_image
           CORPUS ${target})
endforeach()
