# SPDX-License-Identifier: Apache-2.0
# Debian packages, by `cpack -G DEB` in a build directory with the prefix /usr: cfsupdated, cfsctl,
# cfsupdated-sysupdate1, cfsupdated-initrd. What each holds is said at its install(); README.md says what they do.
set(debian_dir ${CMAKE_CURRENT_LIST_DIR})
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME cfsupdated)
set(CPACK_PACKAGE_VENDOR cfsupdated)
set(CPACK_PACKAGE_CONTACT "The cfsupdated developers <cfsupdated@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_SET_DESTDIR ON)  # for /etc
set(CPACK_COMPONENTS_ALL daemon client sysupdate initrd)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
# Strips, and compresses manuals.
set(CPACK_PRE_BUILD_SCRIPTS ${debian_dir}/finish.cmake)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS OFF)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(CPACK_DEBIAN_DAEMON_PACKAGE_NAME cfsupdated)
set(CPACK_DEBIAN_DAEMON_DESCRIPTION "update daemon for image-based Linux with composefs roots
Fetches OCI images, composes their composefs image locally, checks it against
the signed UKI that names it, and makes it the next boot. With a D-Bus API,
health checks of a boot on trial, and the merge of /etc at shutdown.")
set(CPACK_DEBIAN_DAEMON_PACKAGE_DEPENDS "default-dbus-system-bus | dbus-system-bus, init-system-helpers, systemd (>= 252)")
set(CPACK_DEBIAN_DAEMON_PACKAGE_RECOMMENDS "ca-certificates, cfsctl, polkitd")
set(CPACK_DEBIAN_DAEMON_PACKAGE_SUGGESTS "cfsupdated-initrd, systemd-boot")
set(CPACK_DEBIAN_DAEMON_PACKAGE_CONTROL_EXTRA
  ${debian_dir}/conffiles ${debian_dir}/postinst ${debian_dir}/prerm ${debian_dir}/postrm)

set(CPACK_DEBIAN_CLIENT_PACKAGE_NAME cfsctl)
set(CPACK_DEBIAN_CLIENT_DESCRIPTION "client of cfsupdated, and tools for composefs images
Updates, rolls back and looks at an image-based system over D-Bus; makes,
seals, prints, compares and mounts composefs images without a daemon.")
set(CPACK_DEBIAN_CLIENT_PACKAGE_RECOMMENDS "binutils, cfsupdated, sbsigntool")

# It conflicts with no package: no file of systemd's is ours, and the link that is enabled decides.
set(CPACK_DEBIAN_SYSUPDATE_PACKAGE_NAME cfsupdated-sysupdate1)
set(CPACK_DEBIAN_SYSUPDATE_DESCRIPTION "lets software centers update by cfsupdated
Serves systemd's D-Bus interface org.freedesktop.sysupdate1 over cfsupdated,
so that GNOME Software, KDE Discover, Phosh and updatectl work unmodified.")
set(CPACK_DEBIAN_SYSUPDATE_PACKAGE_DEPENDS
  "cfsupdated (= ${PROJECT_VERSION}-1), default-dbus-system-bus | dbus-system-bus, init-system-helpers")
set(CPACK_DEBIAN_SYSUPDATE_PACKAGE_RECOMMENDS "polkitd")
set(CPACK_DEBIAN_SYSUPDATE_PACKAGE_CONTROL_EXTRA
  ${debian_dir}/sysupdate/postinst ${debian_dir}/sysupdate/prerm ${debian_dir}/sysupdate/postrm)

set(CPACK_DEBIAN_INITRD_PACKAGE_NAME cfsupdated-initrd)
set(CPACK_DEBIAN_INITRD_DESCRIPTION "mounts a composefs image as root, for initrds
The program, its unit, and the parts that dracut and initramfs-tools need to
put it into an initrd. Needed where images are built, and on machines for soft reboots alone.")
set(CPACK_DEBIAN_INITRD_PACKAGE_RECOMMENDS "dracut | initramfs-tools")
set(CPACK_DEBIAN_INITRD_PACKAGE_CONTROL_EXTRA ${debian_dir}/triggers)

foreach(pair daemon:cfsupdated client:cfsctl sysupdate:cfsupdated-sysupdate1 initrd:cfsupdated-initrd)
  string(REPLACE ":" ";" pair ${pair})
  list(GET pair 0 component)
  list(GET pair 1 package)
  # Not part of a plain install: only packages have such a folder.
  install(FILES ${debian_dir}/copyright ${debian_dir}/changelog
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()
include(CPack)
