#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_vectors.py CFSCTL TESTS ALGORITHM KIND: `image digest` against the rows of tests/data/oci for V1 and V2."""
import pathlib
import subprocess
import sys
import tempfile

FILES = {"plain": "expected.tsv", "bootable": "expected.tsv", "bootable-nsec": "expected-post396.tsv"}
OPTIONS = {
    "plain": [],
    "bootable": ["--bootable", "--boot-mtime", "seconds"],
    "bootable-nsec": ["--bootable", "--boot-mtime", "full"],
}


def main():
    cfsctl, tests, algorithm, kind = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    checked = failed = 0
    with tempfile.TemporaryDirectory() as work:
        for line in (tests / "data/oci" / FILES[kind]).read_text().splitlines():
            layers, row_algorithm, xattrs, row_kind, version, expected = line.split("\t")
            if row_algorithm != algorithm or row_kind != kind or version not in ("V1", "V2"):
                continue
            tag = layers.replace("+", "-").replace(",", "-").replace(".tar", "")
            paths = [str(tests / "data/oci" / name) for name in layers.replace(",", "+").split("+")]
            subprocess.run([tests / "support/oci_layout.py", work, "--tag", tag, *paths], check=True)
            command = [cfsctl, "image", "digest", "--hash", algorithm, "--xattrs", xattrs, f"oci:{work}:{tag}",
                       "--format", version.lower(), *OPTIONS[kind]]
            run = subprocess.run(command, text=True, capture_output=True, check=False)
            checked += 1
            if run.stdout != expected + "\n":
                failed += 1
                print(f"{line}\n  printed {run.stdout!r} {run.stderr.strip()}")
    print(f"{checked} rows, {failed} wrong")
    sys.exit(0 if checked and not failed else 1)


if __name__ == "__main__":
    main()
