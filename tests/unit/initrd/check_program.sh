#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_program.sh PROGRAM: below 200 KiB when stripped, and no shared library but libc.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
strip -o "$work/program" "$1"
size=$(stat -c %s "$work/program")
needed=$(readelf -d "$work/program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | xargs)
echo "$size bytes; needs: $needed"
[ "$size" -lt $((200 * 1024)) ] || { echo "FAILED: larger than 200 KiB"; exit 1; }
# The loader is libc's too: whoever has the one has the other.
[[ $needed =~ ^libc\.so\.6(\ ld-linux-[a-z0-9_-]+\.so\.[0-9]+)?$ ]] || { echo "FAILED: more than libc"; exit 1; }
