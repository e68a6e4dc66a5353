#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_packages.sh BUILD SOURCE: makes the Debian packages of BUILD, looks at what they hold and say, and installs,
# upgrades, removes and purges them in a throw-away copy of this system. Ends with 77 where that cannot be.
set -euo pipefail
build=$1 source=$2
here=$(dirname "$(readlink -f "$0")")
for tool in dpkg-deb dpkg-shlibdeps deb-systemd-helper strip; do
  command -v $tool > /dev/null || { echo "skipped: needs $tool (packages dpkg-dev, init-system-helpers, binutils)"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "skipped: needs root to install packages"; exit 77; }
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
bad() { echo "$*"; exit 1; }

cpack -G DEB -B "$top/out" --config "$build/CPackConfig.cmake" > "$top/log" 2>&1 || { cat "$top/log"; bad "cpack failed"; }
debs=("$top"/out/*.deb)
[ "${#debs[@]}" = 4 ] || bad "not four packages: ${debs[*]}"

# What they hold. %cfsctl% is the client's installed name.
name=$(sed -n 's/^CFSCTL_NAME:STRING=//p' "$build/CMakeCache.txt")
for deb in "${debs[@]}"; do
  package=$(dpkg-deb -f "$deb" Package)
  dpkg-deb -c "$deb" > "$top/list"
  awk '$1 !~ /^d/ { print substr($6, 2) }' "$top/list" | sort > "$top/found"
  sed -n "/^\[$package\]\$/,/^\[/{/^\//p}" "$here/contents" | sed "s|%cfsctl%|$name|" | sort > "$top/wanted"
  diff -u "$top/wanted" "$top/found" || bad "$package holds something else (-) than tests/integration/packages/contents says"
  # Owners and modes: nothing but these three.
  grep -Ev '^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x) root/root ' "$top/list" && bad "$package: odd owner or mode"
  awk '$1 ~ /^-rwx/ { print substr($6, 2) }' "$top/list" |
    grep -Ev '^/usr/(s?bin/|lib/cfsupdated/(cfs-prepare-root|cfsupdated-sysupdate1)$|lib/dracut/|lib/greenboot/|share/initramfs-tools/)' &&
    bad "$package: an odd program"
  mkdir "$top/$package"
  dpkg-deb -R "$deb" "$top/$package"
  # No path of the machine that built it.
  grep -rlF -e "$build" -e "$source" "$top/$package" && bad "$package knows where it was built"
  (cd "$top/$package" && md5sum --quiet -c DEBIAN/md5sums)
  for script in postinst prerm postrm; do
    [ ! -e "$top/$package/DEBIAN/$script" ] || sh -n "$top/$package/DEBIAN/$script"
  done
  for manual in "$top/$package"/usr/share/man/*/*.gz; do
    gzip -t "$manual"
  done
  version=$(dpkg-deb -f "$deb" Version)
  zcat "$top/$package/usr/share/doc/$package/changelog.Debian.gz" > "$top/changelog"
  [ "$(dpkg-parsechangelog -l "$top/changelog" -S Version)" = "$version" ] ||
    bad "$package: its changelog is of another version than $version"
  for field in Maintainer Section Priority Architecture Installed-Size Description; do
    [ -n "$(dpkg-deb -f "$deb" $field)" ] || bad "$package: no $field"
  done
  # A line of its own, not more than 80 characters and no sentence, then text.
  dpkg-deb -f "$deb" Description > "$top/description"
  head -1 "$top/description" | grep -Eq '^[a-z].{20,79}[^.]$' || bad "$package: its synopsis: $(head -1 "$top/description")"
  sed 1d "$top/description" | grep -q '^ [A-Z]' || bad "$package: no description"
  sed 1d "$top/description" | grep -Ev '^ ([^ ]|\.$)' && bad "$package: its description is not plain text"
  [[ $(dpkg-deb -f "$deb" Depends) == *libc6* ]] || bad "$package: Depends lacks the libraries: $(dpkg-deb -f "$deb" Depends)"
done
for package in cfsupdated cfsctl cfsupdated-sysupdate1; do
  [[ $(dpkg-deb -f "$top"/out/${package}_*.deb Depends) == *libsdbus-c++* ]] || bad "$package: Depends lacks sdbus-c++"
done
[[ $(dpkg-deb -f "$top"/out/cfsupdated-sysupdate1_*.deb Depends) == *"cfsupdated (= "* ]] || bad "the adapter depends on no daemon"
[[ $(dpkg-deb -f "$top"/out/cfsupdated-sysupdate1_*.deb Depends) != *libcurl* ]] || bad "the adapter is more than one: it links libcurl"
[ "$(cat "$top/cfsupdated/DEBIAN/conffiles")" = /etc/cfsupdated/cfsupdated.toml ] || bad "cfsupdated: conffiles"
[ "$(cat "$top/cfsupdated-initrd/DEBIAN/triggers")" = "activate-noawait update-initramfs" ] || bad "cfsupdated-initrd: triggers"

unshare -m --propagation private "$here/install_packages.sh" "$top" "$name"
echo "packages: $(cd "$top/out" && echo *.deb)"
