#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_units.sh BUILD: the installed units, enabled as the preset says, are understood by systemd and make no circle
# with its own. Ends with 77 where systemd-analyze is missing.
set -euo pipefail
build=$1
for tool in systemd-analyze systemctl; do
  command -v $tool > /dev/null || { echo "skipped: needs $tool (package systemd)"; exit 77; }
done
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
DESTDIR=$top cmake --install "$build" > /dev/null
units=$top/usr/lib/systemd/system
names=$(cd "$units" && echo cfsupdated*)

# As at the first boot of an image.
# shellcheck disable=SC2086
systemctl --root "$top" --quiet preset $names 2> /dev/null || true
expect() { [ -L "$top/etc/systemd/system/$1" ] || { echo "the preset does not make $1"; exit 1; }; }
expect boot-complete.target.requires/cfsupdated-boot-check.service
expect multi-user.target.wants/cfsupdated-mark-good.service
expect sysinit.target.wants/cfsupdated-boot-deadline.service
expect basic.target.wants/cfsupdated-finalize.service
expect multi-user.target.wants/cfsupdated-finalize-failed.service
expect basic.target.wants/cfsupdated-soft-reboot.service
expect dbus-org.freedesktop.sysupdate1.service
[ ! -e "$top/etc/systemd/system/timers.target.wants" ] || { echo "the preset starts the timer"; exit 1; }

# Programs are looked for, too.
sed -i "s|=/usr/|=$top/usr/|" "$units"/cfsupdated*.service
# judge: what systemd says of us and of boot-complete.target, and of circles.
judge() {
  # shellcheck disable=SC2086
  SYSTEMD_UNIT_PATH="$top/etc/systemd/system:$units:" \
    systemd-analyze --man=no verify multi-user.target boot-complete.target $names 2>&1 | grep -E 'cfsupdated|boot-complete|cycle' || true
}
found=$(judge)
[ -z "$found" ] || { echo "$found"; exit 1; }

# What the daemon may beyond a plain process, as systemd counts it: 4.0 of 10, and no capability without its reason.
unit=$units/cfsupdated.service
exposed() { ! systemd-analyze security --offline=true --no-pager --threshold=40 "$1" > "$top/exposure" 2>&1; }
if exposed "$unit"; then
  cat "$top/exposure"
  echo "cfsupdated.service is more exposed than 4.0"
  exit 1
fi
for capability in $(sed -n 's/^CapabilityBoundingSet=//p' "$unit"); do
  grep -q "^# $capability: ..........*\.$" "$unit" || { echo "cfsupdated.service does not say why $capability"; exit 1; }
done
# Without its bounds it is too much: the threshold bites.
sed '/^CapabilityBoundingSet=/d' "$unit" > "$top/cfsupdated-loose.service"
exposed "$top/cfsupdated-loose.service" || { echo "a unit with every capability passed"; exit 1; }

# The adapter parses what everybody sends: it may next to nothing, 1.5 of 10.
systemd-analyze security --offline=true --no-pager --threshold=15 "$units/cfsupdated-sysupdate1.service" > "$top/exposure" 2>&1 ||
  { cat "$top/exposure"; echo "cfsupdated-sysupdate1.service is more exposed than 1.5"; exit 1; }

# The same eyes see a circle: what a default dependency would do.
mkdir "$units/cfsupdated-mark-good.service.d"
printf '[Unit]\nBefore=multi-user.target\n' > "$units/cfsupdated-mark-good.service.d/circle.conf"
[[ $(judge) == *cycle* ]] || { echo "a circle was not seen"; exit 1; }
echo "units: $names"
