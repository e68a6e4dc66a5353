#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bus_manual_bites.sh SOURCE: bus_manual.py finds what it is there for, in a copy of the contract.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
mkdir "$top/dbus"
cp "$1"/dbus/*.xml "$1"/dbus/*.5 "$top/dbus"
finds() {
  local said
  if said=$("$here/bus_manual.py" "$top"); then echo "passed, without: $1"; exit 1; fi
  [[ $said == *"$1"* ]] || { echo "not said: $1"; exit 1; }
}
"$here/bus_manual.py" "$top" > /dev/null || { echo "the copy differs"; exit 1; }
# A method more than the manual has.
sed -i 's|<method name="Check">|<method name="Extra"></method>&|' "$top/dbus/org.cfsupdate1.Manager.xml"
finds 'org.cfsupdate1.5 is not what the XML says'
# The comment of Check is Extra's now.
finds 'Check has no comment'
cp "$1"/dbus/*.xml "$top/dbus"
sed -i '/Sy JobNew/d' "$top/dbus/org.cfsupdate1.5"
finds 'org.cfsupdate1.5 is not what the XML says'
echo "bites"
