#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# prepare_root.sh PROGRAM CFSCTL TESTS TREE.tar: cfs-prepare-root on a real Debian tree, in a mount namespace of its own:
# what is mounted equals the tree, /etc and /var go where the image says, and a failure leaves nothing but its record.
set -euo pipefail
skip() { echo "skipped: $*"; exit 77; }
if [ "${CFS_IN_NAMESPACE:-}" != 1 ]; then
  [ "$(id -u)" = 0 ] || skip "mounting needs root"
  unshare -m true 2> /dev/null || skip "this container may not mount"
  modprobe -q erofs 2> /dev/null || true
  grep -qw erofs /proc/filesystems || skip "this kernel has no EROFS"
  CFS_IN_NAMESPACE=1 exec unshare -m --propagation private "$0" "$@"
fi
program=$1 cfsctl=$2 tests=$3 tar=$4
work=$(mktemp -d -p /var/tmp)
trap 'umount -R -q "$work/target" "$work/disk" 2> /dev/null || true; rm -rf --one-file-system "$work"' EXIT
fail() { echo "FAILED: $*"; exit 1; }
show() { printf '== %s\n' "$*"; }
# Flags of the mount at a path.
flags() { awk -v at="$1" '$5 == at { found = $6 } END { print found }' /proc/self/mountinfo; }
mounts() { wc -l < /proc/self/mountinfo; }

mkdir "$work/tree" "$work/target" "$work/sysroot" "$work/efivars" "$work/run"
tar --xattrs --xattrs-include='*' --same-owner --numeric-owner -C "$work/tree" -xpf "$tar"
mkdir -p "$work/tree/sysroot" "$work/tree/usr/lib/composefs"

# make_image [LINE OF CONFIG]...: the tree as an image in a store, with the state that an installation makes.
make_image() {
  rm -f "$work/tree/usr/lib/composefs/setup-root-conf.toml"
  [ $# = 0 ] || printf '%s\n' "$@" > "$work/tree/usr/lib/composefs/setup-root-conf.toml"
  local store=$work/sysroot/composefs
  rm -rf "$work/sysroot" && mkdir -p "$store/images" "$work/sysroot/state/os/default"
  "$cfsctl" image create --format v1 --hash sha512 --no-propagate-usr-to-root --digest-store "$store/objects" \
    "dir:$work/tree" "$work/image"
  digest=$("$cfsctl" image digest "image:$work/image")
  mkdir -p "$store/objects/${digest:0:2}"
  mv "$work/image" "$store/objects/${digest:0:2}/${digest:2}"
  ln -s "../objects/${digest:0:2}/${digest:2}" "$store/images/$digest"
  state=$work/sysroot/state/deploy/$digest
  mkdir -p "$state"
  cp -a "$work/tree/etc" "$state/etc"
  cp -a "$work/tree/var" "$work/sysroot/state/os/default/var"
  ln -s ../../os/default/var "$state/var"
  echo "quiet composefs.digest=?v1-sha512-12:$digest rw" > "$work/cmdline"
}

prepare() { # OPTION...
  "$program" --proc-cmdline "$work/cmdline" --run "$work/run/cfsupdated" --efivars "$work/efivars" \
    --volatile-root "$work/volatile-root" "$@"
}
prepare_at() { prepare --sysroot "$work/sysroot" --target "$work/target" "$@"; }
release() { umount -R "$work/target"; rm -rf "$work/run/cfsupdated"; }

# record KEY: of booted.json
record() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$work/run/cfsupdated/booted.json" "$1"; }
expect() { [ "$1" = "$2" ] || fail "'$1', expected '$2'"; }

show "the default: /etc and /var bound, the rest is the image"
make_image
before=$(mounts)
prepare_at
expect "$(mounts)" $((before + 4))
[ -d "$work/target/sysroot/composefs" ] || fail "the physical root is not at /sysroot"
umount "$work/target/sysroot"
"$tests/support/compare_trees.py" "$work/tree" "$work/target"
if touch "$work/target/usr/x" 2> /dev/null; then fail "the root is writable"; fi
for name in etc var; do
  [[ ",$(flags "$work/target/$name")," == *,nosuid,nodev,* ]] || fail "/$name: $(flags "$work/target/$name")"
  echo "of $name" > "$work/target/$name/new"
done
expect "$(cat "$state/etc/new")" "of etc"
expect "$(cat "$work/sysroot/state/os/default/var/new")" "of var"
expect "$(record digest)" "$digest"
expect "$(record measured) $(record verity)" "False none"
expect "$(record etc) $(record var) $(record root)" "bind bind image"
expect "$(record cmdline)" "$(cat "$work/cmdline")"
expect "$(stat -c %a "$work/run/cfsupdated")" 700
[ ! -e "$work/run/cfsupdated/initrd" ] || fail "a scaffold is left"
release

show "in place of the mount that it is on, where mounts are shared as systemd makes them"
mkdir -p "$work/disk"
mount -t tmpfs none "$work/disk"
mount --make-shared "$work/disk"
mkdir "$work/disk/sysroot" "$work/disk/run"
mount --bind "$work/sysroot" "$work/disk/sysroot"
prepare --sysroot "$work/disk/sysroot" --run "$work/disk/run/cfsupdated"
[ -f "$work/disk/sysroot/usr/bin/dpkg" ] || fail "no new root"
[ -d "$work/disk/sysroot/sysroot/state" ] || fail "no physical root in it"
expect "$(grep -c " $work/disk/sysroot " /proc/self/mountinfo)" 1
expect "$(readlink "$work/volatile-root")" "/dev/block/$(mountpoint -d "$(df --output=target "$work" | tail -n 1)")"
umount -R "$work/disk"

show "the image wants overlays"
make_image '[etc]' 'mount = "overlay"' '[var]' 'mount = "transient"'
rm -rf "$state/etc/"*
prepare_at
umount "$work/target/sysroot"
"$tests/support/compare_trees.py" "$work/tree" "$work/target"
echo here > "$work/target/etc/new" && echo gone > "$work/target/var/new"
expect "$(cat "$state/etc/upper/new")" here
[ ! -e "$work/sysroot/state/os/default/var/new" ] || fail "a transient /var was kept"
[[ ",$(flags "$work/target/etc")," == *,nosuid,nodev,* ]] || fail "/etc: $(flags "$work/target/etc")"
expect "$(record etc) $(record var)" "overlay transient"
release
prepare_at
expect "$(cat "$work/target/etc/new")" here
[ ! -e "$work/target/var/new" ] || fail "a transient /var came back"
release

show "the image wants a transient root and nothing else"
make_image '[root]' 'transient = true' '[etc]' 'mount = "none"' '[var]' 'mount = "none"'
prepare_at
umount "$work/target/sysroot"
"$tests/support/compare_trees.py" "$work/tree" "$work/target"
echo x > "$work/target/usr/new" && echo x > "$work/target/etc/new"
expect "$(record root) $(record etc) $(record var)" "transient none none"
expect "$(findmnt -no SOURCE "$work/target" | tail -n 1 | cut -c1-40)" "composefs:$(record digest | cut -c1-30)"
release
prepare_at
[ ! -e "$work/target/usr/new" ] || fail "a transient root was kept"
release

# refuse WORDS...: fails with one line that has these words, and leaves a record and nothing else.
refuse() {
  local count words=$* status=0
  count=$(mounts)
  rm -rf "$work/sysroot/state/cfsupdated"
  prepare_at 2> "$work/said" || status=$?
  expect "$status $(wc -l < "$work/said")" "1 1"
  grep -qF -- "$words" "$work/said" || fail "'$(cat "$work/said")' does not say '$words'"
  grep -q ';' "$work/said" || fail "no cure: $(cat "$work/said")"
  expect "$(mounts)" "$count"
  [ ! -e "$work/run/cfsupdated/booted.json" ] || fail "a failure was recorded as a boot"
  python3 - "$work/sysroot/state/cfsupdated/last-error.json" "$words" <<'EOF'
import json, sys
record = json.load(open(sys.argv[1]))
assert sys.argv[2] in record["message"], record
assert record["hint"] and record["time"] > 1_600_000_000 and record["name"], record
EOF
}

show "failures"
make_image
ours=$(cat "$work/cmdline")
echo "composefs.digest=v1-sha512-12:$digest" > "$work/cmdline"
refuse "the image ${digest:0:12}: it has no fs-verity"
echo "$ours $ours" > "$work/cmdline"
refuse "has 'composefs.digest' twice"
echo "quiet" > "$work/cmdline"
refuse "names no composefs image"
# The first argument decides, also when its image is missing and the second one's is there.
echo "composefs=?$(printf '%0128d' 0) $ours" > "$work/cmdline"
refuse "the image 000000000000: opening"
echo "$ours" > "$work/cmdline"
mv "$state" "$state.away"
refuse "the deployment's state"
mv "$state.away" "$state"
# A link that leads out of the store is not followed, whatever is there.
cp "$work/sysroot/composefs/images/$digest" "$work/outside"
ln -sfn "$work/outside" "$work/sysroot/composefs/images/$digest"
refuse "the image ${digest:0:12}: opening"
ln -sfn "../objects/00/nothing" "$work/sysroot/composefs/images/$digest"
refuse "the image ${digest:0:12}: opening"
python3 - "$work/efivars/LoaderEntrySelected-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f" <<'EOF'
import sys
open(sys.argv[1], "wb").write(b"\7\0\0\0" + "os_2-3+1-1.efi\0".encode("utf-16le"))
EOF
refuse "the image ${digest:0:12}: opening"
grep -q "the boot of 'os_2-3+1-1.efi' failed" "$work/sysroot/state/cfsupdated/last-error.json"
prepare_at --soft-reboot 2> "$work/said" && fail "it mounts what is not there"
grep -q "the soft reboot stays with what runs" "$work/sysroot/state/cfsupdated/last-error.json"
make_image '[etc]' 'mount = "elsewhere"'
refuse "setup-root-conf.toml, line 2"
make_image
prepare_at
release
echo "the kernel agrees"
