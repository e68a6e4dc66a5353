# SPDX-License-Identifier: Apache-2.0
# What Debian wants of files, done to the staged copies right before they are packed.
set(stages ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*/usr)
file(GLOB texts ${stages}/share/man/man?/*.?)
file(GLOB changelogs ${stages}/share/doc/*/changelog)
foreach(changelog ${changelogs})
  file(RENAME ${changelog} ${changelog}.Debian)
  list(APPEND texts ${changelog}.Debian)
endforeach()
file(GLOB programs ${stages}/bin/* ${stages}/sbin/* ${stages}/lib/cfsupdated/*)
if(NOT texts OR NOT changelogs OR NOT programs)
  message(FATAL_ERROR "below ${CPACK_TEMPORARY_INSTALL_DIRECTORY} there is not what was staged: look at the paths above")
endif()
execute_process(COMMAND gzip -9n ${texts} COMMAND_ERROR_IS_FATAL ANY)
foreach(program ${programs})
  execute_process(COMMAND strip --strip-unneeded --remove-section=.comment --remove-section=.note ${program}
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
