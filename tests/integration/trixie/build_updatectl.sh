#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build_updatectl.sh WORK: systemd's client of org.freedesktop.sysupdate1, which Debian does not package, from Debian's
# source of the running release: WORK/build/updatectl. For the system that build_and_test.sh makes.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
work=$1
[ ! -x "$work/build/updatectl" ] || exit 0
"$here/../../support/install_packages" updatectl
rm -rf "$work"
mkdir -p "$work"
cd "$work"
apt-get update -qq
apt-get source --download-only -qq -o APT::Sandbox::User=root systemd
dpkg-source -x systemd_*.dsc source > source.log
meson setup build source --auto-features=disabled -Dmode=release -Dtests=false -Dman=disabled \
  -Dsysupdate=enabled -Dsysupdated=enabled -Dopenssl=enabled -Dfdisk=enabled -Dblkid=enabled > configure.log ||
  { cat configure.log; exit 1; }
ninja -C build updatectl > build.log || { tail -n 40 build.log; exit 1; }
