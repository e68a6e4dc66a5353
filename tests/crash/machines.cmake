# SPDX-License-Identifier: Apache-2.0
# Prepared machines, and tests that work on copies of them: for crash and for fault tests.
include_guard(GLOBAL)
set(here ${PROJECT_SOURCE_DIR}/tests/crash)

# Nothing here depends on what a disk does; memory makes the syncs of many hundred runs free.
set(CFS_FAST_TMP "" CACHE PATH "where crash and fault tests copy their machines to")
if(NOT CFS_FAST_TMP AND IS_DIRECTORY /dev/shm)
  set_property(CACHE CFS_FAST_TMP PROPERTY VALUE /dev/shm)
endif()

add_library(cfs_test_crash STATIC ${here}/crash_site.cpp ${here}/process.cpp)
target_link_libraries(cfs_test_crash PUBLIC cfs_test_site cfs_flags)

add_executable(cfs_drive ${here}/drive.cpp)
target_link_libraries(cfs_drive PRIVATE cfs_test_crash)

add_executable(cfs_prepare_machines ${here}/prepare.cpp)
target_link_libraries(cfs_prepare_machines PRIVATE cfs_test_crash)
add_test(NAME fixtures.machines
         COMMAND cfs_prepare_machines ${CMAKE_BINARY_DIR}/machines)
set_tests_properties(fixtures.machines PROPERTIES FIXTURES_SETUP machines FIXTURES_REQUIRED images
  LABELS "crash;fault" TIMEOUT 120 ENVIRONMENT "CFS_TEST_TMP=${CFS_FAST_TMP}")

# cfs_machine_test(NAME LABEL l [FIXTURES another] SOURCES ... [DEPS ...])
function(cfs_machine_test name)
  cmake_parse_arguments(arg "" "LABEL;FIXTURES" "SOURCES;DEPS" ${ARGN})
  # Fixtures that need others bring them along; gtest_discover_tests takes no lists here.
  if(NOT arg_FIXTURES)
    set(arg_FIXTURES machines)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE cfs_test_crash ${arg_DEPS} GTest::gtest GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE
    CFS_MACHINES="${CMAKE_BINARY_DIR}/machines" CFS_DRIVE="$<TARGET_FILE:cfs_drive>")
  add_dependencies(${name} cfs_drive cfs_prepare_machines)
  gtest_discover_tests(${name} TEST_PREFIX ${arg_LABEL}. DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES
    PROPERTIES LABELS ${arg_LABEL} TIMEOUT 600 FIXTURES_REQUIRED ${arg_FIXTURES}
    ENVIRONMENT "CFS_TEST_TMP=${CFS_FAST_TMP}")
endfunction()
