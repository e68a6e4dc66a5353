# SPDX-License-Identifier: Apache-2.0
cfs_fuzz(fuzz_oci_json SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/net_oci_json_fuzz.cpp DEPS cfs_net CORPUS oci_json)
cfs_fuzz(fuzz_image_ref SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/net_image_ref_fuzz.cpp DEPS cfs_net CORPUS image_ref)
cfs_fuzz(fuzz_auth SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/net_auth_fuzz.cpp DEPS cfs_net CORPUS auth)
cfs_fuzz(fuzz_registries SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/net_registries_fuzz.cpp DEPS cfs_net CORPUS registries)
