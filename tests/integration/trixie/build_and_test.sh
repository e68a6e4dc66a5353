#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build_and_test.sh SOURCE WORK: makes a Debian 13 system below WORK from the mirror that this machine's apt uses, builds
# the project in it and runs its bus tests there: sdbus-c++ 2 generates other code from the same XML, and what is live on
# the bus has to be that XML. systemd's own updatectl is built there as well, and has to work. WORK is kept: the next run builds what changed. Ends with 77 where it cannot be made.
set -euo pipefail
source=$(readlink -f "$1") work=$2
mkdir -p "$work/build"
work=$(readlink -f "$work")
root=$work/root
skip() { echo "skipped: $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "making a chroot needs root"
command -v mmdebstrap > /dev/null || skip "needs mmdebstrap"
unshare -m true 2> /dev/null || skip "no mount namespaces here"

# The release's own archive, not that of updates or security, which have other suites.
mirror() {
  # shellcheck disable=SC2016  # apt expands it
  apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
    awk '$3 == "main" && $2 !~ /-/ { print $1; exit }'
}

make_root() {
  local options=(--variant=apt --include=ca-certificates "--aptopt=Acquire::Check-Valid-Until \"false\"") key line
  for key in /usr/share/keyrings/debian-archive-trixie-*.gpg; do
    [ ! -e "$key" ] || options+=("--keyring=$key")
  done
  while read -r line; do options+=("--aptopt=$line"); done < <(apt-config dump | grep -iE '^Acquire::https?::Proxy ' || true)
  local from
  from=$(mirror)
  [ -n "$from" ] || skip "apt knows no mirror"
  rm -rf "$root"
  mmdebstrap --quiet "${options[@]}" trixie "$root.new" "$from"
  mv "$root.new" "$root"
}

# What is built is what the bus tests start.
in_root=$(cat << 'END'
set -euo pipefail
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
/src/tests/support/install_packages build run bus
version=$(pkg-config --modversion sdbus-c++)
echo "$(g++ --version | head -1); sdbus-c++ $version"
case $version in 2.*) ;; *) echo "this is to be tested with sdbus-c++ 2"; exit 1 ;; esac
/src/tests/integration/trixie/build_updatectl.sh /b/systemd
cmake -S /src -B /b/r -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr -DCFS_TESTS=ON \
  -DCFS_WERROR=ON -DCFS_UPDATECTL=/b/systemd/build/updatectl > /b/configure.log 2>&1 || { cat /b/configure.log; exit 1; }
cmake --build /b/r --target cfsupdated cfsctl bus_tests
mkdir -p /run/systemd/system  # updatectl asks for a system that systemd has booted
cd /b/r
ctest -R '^bus\.Updatectl' -N | grep -q 'Total Tests: [1-9]' || { echo "the tests of updatectl are missing"; exit 1; }
ctest -L '^bus$' --no-tests=error --output-on-failure --output-junit /b/bus.xml
END
)
in_trixie() { # in a mount namespace of its own, so that nothing stays mounted
  mkdir -p "$root/src" "$root/b"
  unshare -m --propagation private bash -euc '
    mount --bind "$3" "$3"  # tests unshare mounts, for which / has to be one
    mount --bind "$1" "$3/src" && mount -o remount,bind,ro "$3/src"
    mount --bind "$2" "$3/b"
    mount -t proc proc "$3/proc"
    mount --rbind /sys "$3/sys"
    mount --rbind /dev "$3/dev"
    mount -t tmpfs run "$3/run" && mkdir "$3/run/systemd"
    exec chroot "$3" /bin/bash -c "$4"' in_trixie "$source" "$work/build" "$root" "$in_root"
}

[ -d "$root" ] || make_root
from=$(mirror)
[ -z "$from" ] || echo "deb-src $from trixie main" > "$root/etc/apt/sources.list.d/source.list"
cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2> /dev/null || true
in_trixie
"$source/tests/support/judge_run" "$work/build/bus.xml"
