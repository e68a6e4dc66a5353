#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# diff_debian.sh CFSCTL TESTS BASE.tar HELLO.tar: `image diff` of two Debian images one package apart names the package's
# files, by dpkg's own list of them, and the databases of dpkg and apt, and nothing else.
set -euo pipefail
cfsctl=$1 tests=$2 base=$3 hello=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$tests/support/oci_layout.py" "$work/oci" --tag base "$base"
"$tests/support/oci_layout.py" "$work/oci" --tag hello "$hello"

member() { tar -xOf "$1" "./$2"; }
# What dpkg recorded as the package's, less what was there before; and dpkg's own files.
tar -tf "$base" | sed 's,^\.,,; s,/$,,' | sort > "$work/before"
{
  member "$hello" var/lib/dpkg/info/hello.list | grep -vx /. | sort | comm -23 - "$work/before" | sed 's/^/+ /'
  tar -tf "$hello" | grep -o '/var/lib/dpkg/info/hello\..*' | sed 's/^/+ /'
  printf '%s\n' '~ /var/lib/dpkg/status' '~ /var/lib/dpkg/status-old' '+ /var/lib/apt/extended_states'
} | LC_ALL=C sort > "$work/expected"

"$cfsctl" image diff "oci:$work/oci:base" "oci:$work/oci:hello" > "$work/diff"
sed 's/^\(. [^ :]*\).*/\1/' "$work/diff" | LC_ALL=C sort > "$work/found"
diff "$work/expected" "$work/found" || { cat "$work/diff"; exit 1; }
grep -q '^~ /var/lib/dpkg/status: ' "$work/diff"
# The other way round the same paths went away, and a system does not differ from itself.
"$cfsctl" image diff "oci:$work/oci:hello" "oci:$work/oci:base" > "$work/back"
[ "$(grep -c '^-' "$work/back")" = "$(grep -c '^+' "$work/expected")" ]
[ -z "$("$cfsctl" image diff "oci:$work/oci:base" "oci:$work/oci:base")" ]
echo "$(wc -l < "$work/diff") lines, all of the package: $(grep -c . "$work/expected") expected"
