#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install_packages.sh TOP NAME: in a mount namespace of its own; TOP/out has the packages. The system that they are
# installed into is this one with a layer over it that vanishes with the namespace.
set -euo pipefail
top=$1 name=$2
bad() { echo "$*"; exit 1; }
mkdir "$top/layer" "$top/system"
mount -t tmpfs layer "$top/layer"
mkdir "$top/layer/upper" "$top/layer/work"
mount -t overlay system -o "lowerdir=/,upperdir=$top/layer/upper,workdir=$top/layer/work" "$top/system" ||
  { echo "skipped: no overlay of / here"; exit 77; }
system=$top/system
mount -t proc proc "$system/proc"
mount --rbind /dev "$system/dev"
mount -t tmpfs run "$system/run"  # no systemd runs there
mkdir -p "$system/tmp/debs" "$system/sysroot/state/cfsupdated" "$system/efi/EFI/Linux"
cp "$top"/out/*.deb "$system/tmp/debs"
echo precious > "$system/sysroot/state/cfsupdated/held.json"
echo precious > "$system/efi/EFI/Linux/os.efi"
in_system() { DEBIAN_FRONTEND=noninteractive chroot "$system" "$@"; }
# What else this system lacks is not what is tested.
install_all() {
  in_system sh -c 'dpkg --force-depends --force-confold -i /tmp/debs/*.deb' > "$top/dpkg.log" 2>&1 ||
    { cat "$top/dpkg.log"; bad "the packages do not install"; }
}
links() { find "$system/etc/systemd/system" -name 'cfsupdated*' -o -name 'dbus-org.freedesktop.sysupdate1*' | sed "s|$system/etc/systemd/system/||" | sort; }
enabled="basic.target.wants/cfsupdated-finalize.service
basic.target.wants/cfsupdated-soft-reboot.service
boot-complete.target.requires/cfsupdated-boot-check.service
dbus-org.freedesktop.sysupdate1.service
multi-user.target.wants/cfsupdated-finalize-failed.service
multi-user.target.wants/cfsupdated-mark-good.service
sysinit.target.wants/cfsupdated-boot-deadline.service"

install_all
[ "$(in_system "/usr/bin/$name" --version)" = "cfsctl $(in_system cfsupdated --version | cut -d' ' -f2)" ] || bad "they do not run"
[ "$(links)" = "$enabled" ] || { links; bad "other units are enabled than the preset's"; }
# Calls on the bus for systemd's interface come to the adapter.
[ "$(readlink "$system/etc/systemd/system/dbus-org.freedesktop.sysupdate1.service")" = /lib/systemd/system/cfsupdated-sysupdate1.service ] ||
  [ "$(readlink "$system/etc/systemd/system/dbus-org.freedesktop.sysupdate1.service")" = /usr/lib/systemd/system/cfsupdated-sysupdate1.service ] ||
  bad "the alias leads elsewhere"
in_system /usr/lib/cfsupdated/cfsupdated-sysupdate1 --version > /dev/null || bad "the adapter does not run"
in_system dpkg -V cfsupdated cfsctl cfsupdated-sysupdate1 cfsupdated-initrd || bad "dpkg finds changed files"

# An upgrade, to the same version here, keeps what an administrator decided.
in_system systemctl --quiet disable cfsupdated-finalize.service 2> /dev/null
echo 'image = "oci:/x:y"' > "$system/etc/cfsupdated/cfsupdated.toml"
install_all
[[ $(links) != *cfsupdated-finalize.service* ]] || bad "an upgrade enabled what was disabled"
[ "$(cat "$system/etc/cfsupdated/cfsupdated.toml")" = 'image = "oci:/x:y"' ] || bad "an upgrade took the settings"

in_system dpkg -r cfsupdated cfsctl cfsupdated-sysupdate1 cfsupdated-initrd > "$top/dpkg.log" 2>&1 || { cat "$top/dpkg.log"; bad "they do not go"; }
[ -z "$(links)" ] || { links; bad "links to units that are gone: boot-complete.target would fail"; }
[ -e "$system/etc/cfsupdated/cfsupdated.toml" ] || bad "a removal took the settings"
install_all
[ "$(links)" = "$enabled" ] || { links; bad "installed again, other units are enabled"; }

in_system dpkg -P cfsupdated cfsctl cfsupdated-sysupdate1 cfsupdated-initrd > "$top/dpkg.log" 2>&1 || { cat "$top/dpkg.log"; bad "they do not go"; }
[ -z "$(links)" ] || bad "a purge left links"
[ ! -e "$system/etc/cfsupdated" ] || bad "a purge left /etc/cfsupdated"
[ -z "$(find "$system/var/lib/systemd/deb-systemd-helper-enabled" -name 'cfsupdated*' 2> /dev/null)" ] || bad "a purge left state of systemd's"
for file in sysroot/state/cfsupdated/held.json efi/EFI/Linux/os.efi; do
  [ "$(cat "$system/$file")" = precious ] || bad "a purge touched /$file: the machine may not boot"
done
