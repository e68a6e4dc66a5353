#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_finalize.sh UNIT SOFT: what cfsupdated-finalize.service does when it is stopped, by what systemd is about to do. A
# soft reboot restarts the same version, and what waits for a real one is merged then, unless somebody asked for more: then
# cfsupdated-soft-reboot.service, stopped behind it, has the next version mounted.
set -euo pipefail
unit=$1 soft=$2
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
bad() { echo "$*"; exit 1; }

# As systemd reads it: the words behind sh -c, with $$ for $.
# script_of KEY UNIT: and where this test keeps what is in /run.
script_of() {
  local text
  text=$(sed -n "s/^$1=sh -c '\(.*\)'\$/\1/p" "$2" | sed 's/\$\$/$/g')
  [ -n "$text" ] || bad "no $1 in $2: this test looks for the wrong line"
  echo "${text//\/run\//$top/run/}"
}
script=$(script_of ExecStop "$unit")
program=$(grep -o '[^ ]*/cfsupdated "$do"' <<< "$script" | cut -d' ' -f1)
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

# A soft reboot that is to lead to another version.
begun=$(script_of ExecStart "$soft") ended=$(script_of ExecStop "$soft")
prepare=$(grep -o '[^ ]*/cfs-prepare-root' <<< "$ended" | head -n 1)
printf '#!/bin/sh\necho "$*" >> %s/mounted\n' "$top" > "$top/cfs-prepare-root"
chmod +x "$top/cfs-prepare-root"
run=$top/run/cfsupdated/soft
softly=("${end[@]}" "90 soft-reboot.target start waiting")
mkdir "$top/run"
sh -c "$begun"
[ -e "$run/ready" ] || bad "nothing says that this machine can"
[ "$(called "${softly[@]}")" = soft-reboot ] || bad "not at a soft reboot"
[ "$(called "${end[@]}" "90 reboot.target start waiting")" = finalize ] || bad "that it could be soft changes a restart"

# mounted JOB...: what cfs-prepare-root is told.
mounted() {
  rm -f "$top/mounted" "$top/jobs"
  printf '%s\n' "$@" > "$top/jobs"
  PATH=$top:$PATH sh -c "${ended//$prepare/$top/cfs-prepare-root}"
  [ ! -e "$top/mounted" ] || cat "$top/mounted"
}
[ -z "$(mounted "${softly[@]}")" ] || bad "it mounts without a plan"
echo c0ffee > "$run/image"
expected="--soft-reboot --target $top/run/nextroot --proc-cmdline $run/c0ffee/cmdline --run $run/c0ffee"
[ "$(mounted "${softly[@]}")" = "$expected" ] || bad "it mounts: $(mounted "${softly[@]}")"
[ -d "$top/run/nextroot" ] || bad "there is no place for it"
[ -z "$(mounted "${end[@]}" "90 reboot.target start waiting")" ] || bad "it mounts at a restart"
[ ! -e "$run/image" ] && [ ! -e "$run/wanted" ] && [ ! -e "$run/ready" ] || bad "the wish outlives its end"
touch "$run/image" "$run/wanted" "$run/../health.json"
sh -c "$begun"
[ ! -e "$run/image" ] && [ ! -e "$run/wanted" ] || bad "the wish outlives a soft reboot"
[ ! -e "$run/../health.json" ] || bad "the checks of before outlive a soft reboot"
echo "finalize: at shutdowns, and at soft reboots that lead to another version"
