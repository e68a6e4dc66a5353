#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# mount_debian.sh CFSCTL TESTS TREE.tar: a real Debian tree as an image, mounted by the kernel, equals the tree: every
# file by content, mode, owner, attributes, time and links.
set -euo pipefail
cfsctl=$1 tests=$2 tar=$3
skip() { echo "skipped: $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "owners of files, and mounts, need root"
unshare -m true 2> /dev/null || skip "this container may not mount"
modprobe -q erofs 2> /dev/null || true
grep -qw erofs /proc/filesystems || skip "this kernel has no EROFS"
major=$(uname -r | cut -d. -f1) minor=$(uname -r | cut -d. -f2)
[ $((major * 1000 + minor)) -ge 6012 ] || [ -e /dev/loop-control ] ||
  skip "this kernel ($(uname -r)) mounts no EROFS from a file, and there are no loop devices"

# On a disk: the file system in memory of some machines has neither room nor attributes.
work=$(mktemp -d -p /var/tmp)
clean() { umount -q "$work/root" 2> /dev/null || true; rm -rf --one-file-system "$work"; }
trap clean EXIT
mkdir "$work/tree" "$work/root"
tar --xattrs --xattrs-include='*' --same-owner --numeric-owner -C "$work/tree" -xpf "$tar"
# What no package brings: a time with nanoseconds, attributes, more names of a file, an odd name, a device.
odd=$work/tree/usr/$'odd \xff\n'
head -c 100000 /dev/urandom > "$odd"
python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.test", b"\0value"); os.setxattr(sys.argv[1], "trusted.test", b"t")' "$odd"
ln "$odd" "$work/tree/usr/again" && ln "$odd" "$work/tree/etc/again"
mknod "$work/tree/usr/null" c 1 3
touch -d @1600000000.123456789 "$odd"
chmod 7751 "$work/tree/usr/again"

mount_and_compare() { # OPTIONS of create
  "$cfsctl" image create "$@" --no-propagate-usr-to-root --digest-store "$work/objects" "dir:$work/tree" "$work/image"
  "$cfsctl" image mount --objects "$work/objects" --digest "$("$cfsctl" image digest "image:$work/image")" \
    "image:$work/image" "$work/root" 2> "$work/why" ||
    { # Not every file system has fs-verity, and --digest asks for it; the digest itself is checked before.
      grep -q -i verity "$work/why" || { cat "$work/why"; exit 1; }
      "$cfsctl" image mount --objects "$work/objects" "image:$work/image" "$work/root"
    }
  if ! cat "$work/root/usr/again" > /dev/null 2>&1; then
    umount "$work/root"
    echo "no fs-verity on $(stat -f -c %T "$work"): mounted without"
    "$cfsctl" image mount --objects "$work/objects" "image:$work/image" "$work/root"
  fi
  "$tests/support/compare_trees.py" "$work/tree" "$work/root"
  if touch "$work/root/x" 2> /dev/null; then echo "the mount is writable"; exit 1; fi
  umount "$work/root"
}
mount_and_compare --format v1 --hash sha512
mount_and_compare --format v1 --hash sha256

# Without a file, and writable.
mkdir "$work/upper" "$work/work"
chmod --reference "$work/tree" "$work/upper"
touch -r "$work/tree" "$work/upper"
"$cfsctl" image mount --no-propagate-usr-to-root --digest-store "$work/objects" --upperdir "$work/upper" \
  --workdir "$work/work" "dir:$work/tree" "$work/root"
"$tests/support/compare_trees.py" "$work/tree" "$work/root"
echo changed > "$work/root/etc/again"
[ "$(cat "$work/upper/etc/again")" = changed ]
echo "the kernel agrees"
