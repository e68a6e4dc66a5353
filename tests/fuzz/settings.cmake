# SPDX-License-Identifier: Apache-2.0
cfs_fuzz(fuzz_settings SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/settings_fuzz.cpp DEPS cfs_settings CORPUS settings)
