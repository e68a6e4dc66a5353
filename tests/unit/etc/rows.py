#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rows.py SOURCE: every row of both tables has a documented result, and each that is no reference has a test."""
import pathlib
import re
import sys

# As the merge facts number them; "also" and rows that say "as another one" are not counted twice.
ROWS = [f"A{n:02}" for n in range(1, 30)] + [
    "B" + n for n in "01 02 03 06 07 07c 07d 08 10 13b 16 18 18b 18c 19 20 21 21b 23 23b 23c 24 24b 26 27 29 30 32".split()
]


def main():
    top = pathlib.Path(sys.argv[1])
    documented = dict(
        re.findall(r"^\| ([AB]\d\d[a-d]?) \|[^|]*\| ([^|]*) \|$", (top / "daemon/etc/README.md").read_text(), re.M)
    )
    tests = set()
    for file in (top / "tests/unit/etc").glob("table_*_test.cpp"):
        tests |= set(re.findall(r"TEST(?:_F)?\(\w+, ([AB]\d\d[a-d]?)_", file.read_text()))
    findings = [f"{row}: not in daemon/etc/README.md" for row in ROWS if row not in documented]
    for row, result in documented.items():
        reference = re.fullmatch(r"([AB]\d\d[a-d]?)(, [AB]\d\d[a-d]?)*", result)
        wanted = result.split(", ") if reference else [row]
        findings += [f"{row}: no test {name}_..." for name in wanted if name not in tests]
    findings += [f"{row}: tested and not in daemon/etc/README.md" for row in tests - documented.keys()]
    print("\n".join(findings) or f"{len(documented)} rows, {len(tests)} with tests of their own")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
