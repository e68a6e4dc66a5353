#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_finalize.sh UNIT: what cfsupdated-finalize.service does when it is stopped, by what systemd is about to do. A soft
# reboot restarts the same version: what waits for a real one is merged then.
set -euo pipefail
unit=$1
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
bad() { echo "$*"; exit 1; }

# As systemd reads it: the words behind sh -c, with $$ for $.
script=$(sed -n "s/^ExecStop=sh -c '\(.*\)'\$/\1/p" "$unit" | sed 's/\$\$/$/g')
[ -n "$script" ] || bad "no ExecStop in $unit: this test looks for the wrong line"
program=$(grep -o '[^ ]*/cfsupdated finalize' <<< "$script" | cut -d' ' -f1)
printf '#!/bin/sh\necho "$*" >> %s/called\n' "$top" > "$top/cfsupdated"
printf '#!/bin/sh\n[ -e %s/jobs ] || exit 1\ncat %s/jobs\n' "$top" "$top" > "$top/systemctl"
chmod +x "$top/cfsupdated" "$top/systemctl"

# called JOB...: what of ours is run while these wait; no word: systemd does not answer.
called() {
  rm -f "$top/called" "$top/jobs"
  [ $# = 0 ] || printf '%s\n' "$@" | grep . > "$top/jobs" || : > "$top/jobs"
  PATH=$top:$PATH sh -c "${script//$program/$top/cfsupdated}"
  [ ! -e "$top/called" ] || cat "$top/called"
}
# What the targets of systemd pull in: a soft reboot has the others, too.
end=("71 umount.target start waiting" "72 final.target start waiting" "73 shutdown.target start waiting"
  "80 cfsupdated-finalize.service stop running")
[ "$(called "${end[@]}" "90 reboot.target start waiting")" = finalize ] || bad "not at a restart"
[ "$(called "${end[@]}" "90 poweroff.target start waiting")" = finalize ] || bad "not at a shutdown"
[ "$(called "${end[@]}" "90 kexec.target start waiting")" = finalize ] || bad "not at a kexec"
[ "$(called)" = finalize ] || bad "not where systemd says nothing"
[ -z "$(called "${end[@]}" "90 soft-reboot.target start waiting")" ] || bad "at a soft reboot"
[ -z "$(called "")" ] || bad "when it alone is stopped, by an upgrade say"
[ -z "$(called "80 cfsupdated-finalize.service stop running")" ] || bad "when it alone is stopped"
echo "finalize: at shutdowns, and no other time"
