#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_catalog.sh SOURCE: each message id that the code has is explained in the journal's catalog, in the manual, and
# nowhere else than there; and journalctl reads the catalog as it is meant. Ends with 77 where journalctl is missing.
set -euo pipefail
source=$1
catalog=$source/systemd/cfsupdated.catalog
bad() { echo "$*"; exit 1; }
command -v journalctl > /dev/null || { echo "skipped: needs journalctl (package systemd)"; exit 77; }
in_code=$(grep -hoE '"[0-9a-f]{32}"' "$source"/daemon/update/events.hpp | tr -d '"' | sort)
in_catalog=$(sed -n 's/^-- \([0-9a-f]\{32\}\)$/\1/p' "$catalog" | sort)
in_manual=$(sed -n 's/^\.It \([0-9a-f]\{32\}\)$/\1/p' "$source/daemon/cfsupdated.8" | sort)
[ -n "$in_code" ] || bad "no message ids in the code: this test looks at the wrong place"
[ "$in_code" = "$(uniq <<< "$in_code")" ] || bad "an id is there twice"
[ "$in_code" = "$in_catalog" ] || { diff <(echo "$in_code") <(echo "$in_catalog") || true; bad "the code (<) and $catalog (>) differ"; }
[ "$in_code" = "$in_manual" ] || { diff <(echo "$in_code") <(echo "$in_manual") || true; bad "the code (<) and cfsupdated(8) (>) differ"; }
others=$(grep -rlE 'log::event\("[^"]' "$source/daemon" --include='*.cpp' || true)
[ -z "$others" ] || bad "an id that is no constant of events.hpp: $others"

# A field that nobody sends would show as @NAME@; one that the manual does not have is of no use.
sent=$(grep -rhoE 'CFSUPDATED_[A-Z_]+"' "$source/daemon" --include='*.cpp' | tr -d '"' | sort -u)
named=$(grep -oE '@CFSUPDATED_[A-Z_]+@' "$catalog" | tr -d '@' | sort -u)
[ -n "$named" ] || bad "the catalog names no fields: this test looks at the wrong place"
unknown=$(comm -13 <(echo "$sent") <(echo "$named"))
[ -z "$unknown" ] || bad "the catalog has fields that the code does not send: $unknown"
for field in $sent; do
  grep -qE "^\.It (.* )?$field( |\$)" "$source/daemon/cfsupdated.8" || bad "cfsupdated(8) does not name the field $field"
done

top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
mkdir -p "$top/usr/lib/systemd/catalog" "$top/var/lib/systemd/catalog"
# says FILE: how many entries journalctl makes of it, each with its subject.
read_catalog() {
  cp "$1" "$top/usr/lib/systemd/catalog/cfsupdated.catalog"
  journalctl --root "$top" --update-catalog > "$top/log" 2>&1 || { cat "$top/log"; return 1; }
  journalctl --root "$top" --list-catalog 2> /dev/null
}
listed=$(read_catalog "$catalog") || bad "journalctl does not read the catalog"
for id in $in_code; do
  grep -q "^$id cfsupdated: ." <<< "$listed" || { echo "$listed"; bad "journalctl shows no subject for $id"; }
done
# And it would see one that is broken.
sed '0,/^-- /s/^-- .*/-- nonsense/' "$catalog" > "$top/broken"
listed=$(read_catalog "$top/broken") || listed=
first=$(sed -n 's/^-- //p' "$catalog" | head -1)
! grep -q "^$first " <<< "$listed" || bad "an id that is not there was found"
echo "catalog: $(wc -w <<< "$in_code") message ids"
