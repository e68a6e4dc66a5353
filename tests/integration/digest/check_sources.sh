#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_sources.sh CFSCTL TESTS: one image through an OCI directory, a plain and a compressed archive, with gzip and zstd
# layers, gives one digest; what is wrong is said on standard error alone.
set -euo pipefail
cfsctl=$1 tests=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
expected=$(awk -F'\t' '$1 == "base.tar" && $2 == "sha512" && $3 == "allowlist-only" && $4 == "plain" && $5 == "V1" { print $6 }' \
  "$tests/data/oci/expected.tsv")
[ ${#expected} = 128 ]
cp "$tests/data/oci/base.tar" "$work"
gzip -nk "$work/base.tar" && zstd -q "$work/base.tar"

same() { [ "$1" = "$expected" ] || { echo "$2: printed '$1'"; exit 1; }; }
for layer in base.tar base.tar.gz base.tar.zst; do
  "$tests/support/oci_layout.py" "$work/$layer.oci" --tag t "$work/$layer"
  same "$("$cfsctl" image digest "oci:$work/$layer.oci:t")" "$layer"
  same "$("$cfsctl" image digest "oci:$work/$layer.oci")" "$layer without its tag"
done
tar -C "$work/base.tar.gz.oci" -cf "$work/archive.tar" .
same "$("$cfsctl" image digest "oci-archive:$work/archive.tar")" archive
gzip -k "$work/archive.tar"
same "$("$cfsctl" image digest "oci-archive:$work/archive.tar.gz:t")" "compressed archive"

"$tests/support/oci_layout.py" "$work/base.tar.oci" --tag second "$work/base.tar.gz"
refuses() { # WORD SOURCE
  if out=$("$cfsctl" image digest "$2" 2> "$work/err"); then echo "$2 was accepted"; exit 1; fi
  [ -z "$out" ] && grep -q "$1" "$work/err" || { echo "$2: '$out'"; cat "$work/err"; exit 1; }
}
refuses second "oci:$work/base.tar.oci"
refuses hint "oci:$work/base.tar.oci:none"
refuses hint "oci:$work/nowhere:t"
refuses hint "something:$work"
printf 'x' | dd of="$work/base.tar.oci/blobs/sha256/$(sha256sum < "$work/base.tar" | cut -d' ' -f1)" \
  bs=1 seek=3000 conv=notrunc status=none
refuses 'digest' "oci:$work/base.tar.oci:t"
echo "all sources agree"
