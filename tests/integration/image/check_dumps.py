#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_dumps.py CFSCTL TESTS rust|c: `image digest` and `image create` against what composefs-rs and mkcomposefs
made of the dumps of tests/data/dumps, and what they refuse."""
import gzip
import hashlib
import pathlib
import subprocess
import sys

CFSCTL, DUMPS = sys.argv[1], pathlib.Path(sys.argv[2]) / "data/dumps"
findings = []
checked = 0


def rows(path):
    lines = path.read_text().splitlines()
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"))) for line in lines[1:]]


def text_of(name):
    path = DUMPS / name
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def run(verb, name, *options):
    command = [CFSCTL, "image", verb, "dump:-", *options]
    return subprocess.run(command, input=text_of(name), capture_output=True, check=False)


def expect(name, options, digest, sha256=None):
    global checked
    checked += 1
    found = run("digest", name, *options)
    if found.stdout.decode() != digest + "\n":
        findings.append(f"{name} {options}: {found.stdout} {found.stderr.decode().strip()}")
    if sha256 is None:
        return
    image = run("create", name, "-", *options).stdout
    if hashlib.sha256(image).hexdigest() != sha256:
        findings.append(f"{name} {options}: another image of {len(image)} bytes")


def refuse(name, options):
    global checked
    checked += 1
    found = run("digest", name, *options)
    if found.returncode == 0 or found.stdout or b"hint: " not in found.stderr:
        findings.append(f"{name} {options}: not refused: {found.stdout} {found.stderr.decode().strip()}")


def check_rust():
    for row in rows(DUMPS / "expected.tsv"):
        options = ["--hash", row["alg"], "--format", row["version"].lower()]
        # Of each dump one image byte for byte; a digest says the same of the others.
        whole = row["alg"] == "sha256" and row["version"] == "V1"
        expect(row["file"], options, row["fsverity"], row["image_sha256"] if whole else None)


def check_c():
    for row in rows(DUMPS / "own/MANIFEST.tsv"):
        options = ["--compat", "c", *row["options"].split()]
        expect("own/" + row["file"], options, row["fsverity_sha256"], row["image_sha256"])
        if row["options"] == "--min-version=0 --max-version=1":
            expect("own/" + row["file"], ["--compat=c"], row["fsverity_sha256"])
        elif row["options"] == "--min-version=1 --max-version=1":
            expect("own/" + row["file"], ["--compat=c", "--format=v1"], row["fsverity_sha256"])
    for row in rows(DUMPS / "composefs-c/MANIFEST.tsv"):
        if row["match"] != "OK":
            continue
        versions = [word for word in row["options"].split() if word.startswith("--")]
        strict = ["--strict"] if row["strict_env"] == "1" else []
        options = ["--compat", "c", *versions, *strict]
        expect("composefs-c/" + row["file"], options, row["fsverity_sha256"], row["observed_image_sha256"])
    for folder in ("own", "composefs-c"):
        for row in rows(DUMPS / folder / "SHOULD_FAIL.tsv"):
            refuse(f"{folder}/{row['file']}", ["--compat", "c"])


{"rust": check_rust, "c": check_c}[sys.argv[3]]()
print("\n".join(findings))
print(f"{checked} rows, {len(findings)} wrong")
sys.exit(0 if checked and not findings else 1)
