#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_verbs.py CFSCTL TESTS: what `cfsctl image` does as a program. Expected values are composefs-rs' digests of
tests/data/oci and what GNU tar, fsverity-utils and this script itself say."""
import decimal
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile

CFSCTL, TESTS = sys.argv[1], pathlib.Path(sys.argv[2])
ROOT = os.geteuid() == 0
# What `fsverity digest --compact` prints for 10,000 letters "a".
FSVERITY = {
    "sha256": "94176b4d6a6edcc136ca792563b49fda1a39855842ed419194136dda51c5d6de",
    "sha512": "c3290c7b45c00bb9166df1758dc9e472de7201ae9a5340af0777b02c891d3727"
              "c42ee5c464f80db10497ec5ead5f11e3617caccd098bd12452fd370a52a49304",
}


def run(*args, stdin=b""):
    return subprocess.run([CFSCTL, "image", *map(str, args)], input=stdin, capture_output=True, check=False)


def ok(*args, stdin=b""):
    done = run(*args, stdin=stdin)
    assert done.returncode == 0, f"{args}: {done.returncode} {done.stderr.decode()}"
    return done.stdout


def fails(part, *args, code=1, stdin=b""):
    done = run(*args, stdin=stdin)
    assert done.returncode == code and not done.stdout, f"{args}: {done}"
    assert part.encode() in done.stderr and b"\n  hint: " in done.stderr, f"{args}: {done.stderr.decode()}"


def golden(layers, hash_, kind, version, name="expected.tsv"):
    for line in (TESTS / "data/oci" / name).read_text().splitlines():
        row = line.split("\t")
        if row[:5] == [layers, hash_, "allowlist-only", kind, version]:
            return row[5]
    raise AssertionError(f"no row {layers} {hash_} {kind} {version}")


def oci(work, *layers):
    tag = "-".join(layer.replace(".tar", "") for layer in layers)
    paths = [TESTS / "data/oci" / layer for layer in layers]
    subprocess.run([TESTS / "support/oci_layout.py", work / "layout", "--tag", tag, *paths], check=True)
    return f"oci:{work / 'layout'}:{tag}"


def round_trip(work):
    """create -> info -> dump -> create, for OCI images, in every format."""
    source = oci(work, "base.tar", "upper.tar")
    for version in ("v1", "v2"):
        for hash_ in ("sha256", "sha512"):
            options = ["--format", version, "--hash", hash_]
            digest = golden("base.tar+upper.tar", hash_, "plain", version.upper())
            first, second = work / "first", work / "second"
            assert ok("create", *options, source, first) == b""
            info = json.loads(ok("info", "--json", f"image:{first}"))
            assert (info["digest"], info["format"], info["hash"]) == (digest, version, hash_), info
            assert info["size"] == first.stat().st_size == info["blocks"] * 4096, info
            dump = ok("dump", f"image:{first}")
            if version == "v1":
                assert dump == ok("dump", source, "--hash", hash_)
            ok("create", *options, "dump:-", second, stdin=dump)
            assert second.read_bytes() == first.read_bytes()
            # An image stays as it is, unless another one is asked for.
            assert ok("create", f"image:{first}", "-") == first.read_bytes()
            assert ok("digest", f"image:{first}").decode().strip() == digest
            objects = json.loads(ok("objects", "--json", f"image:{first}"))
            assert objects["count"] == info["objects"] and objects["bytes"] == info["object_bytes"]
            assert ok("objects", f"image:{first}").decode().split() == sorted(o["path"] for o in objects["objects"])
    assert ok("digest", "--hash", "sha512", "--format", "v1", f"image:{second}", "--compat", "rust")


def standard_streams(work):
    source = oci(work, "base.tar")
    ok("create", source, work / "file")
    image = ok("create", source, "-")
    assert image == (work / "file").read_bytes()
    assert ok("digest", "image:-", stdin=image).decode().strip() == golden("base.tar", "sha512", "plain", "V1")
    assert ok("create", source, "/dev/stdout") == image
    assert ok("create", source, "/dev/null") == b"" and pathlib.Path("/dev/null").is_char_device()


def nothing_is_left(work):
    place = work / "place"
    place.mkdir()
    (place / "old").write_bytes(b"old")
    for name in ("old", "new"):
        fails("dump", "create", "dump:-", place / name, stdin=b"/ 0 40755 2 0 0 0 0.0 - - -\nnonsense\n")
        fails("no composefs image", "create", f"image:{CFSCTL}", place / name)
    fails("", "create", f"dir:{work / 'missing'}", place / "new", code=3)
    fails("directory", "create", oci(work, "base.tar"), place)
    assert os.listdir(place) == ["old"] and (place / "old").read_bytes() == b"old"


def directories(work):
    """A directory gives the digest of the layer that was unpacked into it."""
    tree = work / "tree"
    tree.mkdir()
    if not ROOT:
        print("directories: owners and devices of the tree need root, left out")
        return
    # The kernel refuses the capability that base.tar gives to one file, so the layer goes without it.
    plain = work / "plain.tar"
    with tarfile.open(TESTS / "data/oci/base.tar") as old, tarfile.open(plain, "w", format=tarfile.PAX_FORMAT) as new:
        for member in old:
            member.pax_headers.pop("SCHILY.xattr.security.capability", None)
            new.addfile(member, old.extractfile(member) if member.isreg() else None)
    subprocess.run(["tar", "--xattrs", "--xattrs-include=*", "--same-owner", "--numeric-owner", "-C", tree,
                    "-xpf", plain], check=True, stderr=subprocess.DEVNULL)
    # Not what links that came later made of the directories' times.
    with tarfile.open(plain) as members:
        for member in members:
            if member.isdir():
                when = int(decimal.Decimal(member.pax_headers.get("mtime", str(int(member.mtime)))) * 10**9)
                os.utime(tree / member.name.lstrip("/"), ns=(when, when))
    subprocess.run([TESTS / "support/oci_layout.py", work / "layout", "--tag", "plain", plain], check=True)
    for kind in ([], ["--bootable"], ["--bootable", "--boot-mtime=seconds"], ["--xattrs=keep-user-xattrs"]):
        for options in (["--format=v1"], ["--format=v2", "--hash=sha256"]):
            found = [ok("digest", *kind, *options, s) for s in (f"dir:{tree}", f"oci:{work / 'layout'}:plain")]
            assert found[0] == found[1], (kind, options, found)
    (change,) = json.loads(ok("diff", "--json", oci(work, "base.tar"), f"dir:{tree}"))["changes"]
    assert change["path"] == "/usr/bin/tool" and len(change["fields"]) == 1, change
    assert change["fields"][0]["name"] == "xattr.security.capability" and change["fields"][0]["b"] is None, change


def digest_store(work):
    tree, store = work / "plain", work / "store"
    (tree / "sub").mkdir(parents=True)
    (tree / "sub/big").write_bytes(b"a" * 10000)
    (tree / "sub/same").write_bytes(b"a" * 10000)
    (tree / "small").write_text("x" * 64)
    for hash_ in ("sha256", "sha512"):
        ok("create", "--hash", hash_, "--digest-store", store, f"dir:{tree}", work / hash_)
        (object_,) = ok("objects", f"image:{work / hash_}").decode().split()
        assert (store / object_).read_bytes() == (tree / "sub/big").read_bytes()
        assert object_ == f"{FSVERITY[hash_][:2]}/{FSVERITY[hash_][2:]}"
        assert ok("objects", "--missing-from", store, f"image:{work / hash_}") == b""
        shutil.rmtree(store / object_[:2])
        assert ok("objects", "--missing-from", store, f"image:{work / hash_}").decode().split() == [object_]
    fails("--digest-store", "create", "--digest-store", store, "dump:-", work / "x")


def differences(work):
    """diff names the changed paths, each of them, and no other."""
    one, other = work / "one", work / "other"
    for name in ("usr/bin/kept", "usr/bin/gone", "usr/lib/mode", "usr/lib/content", "usr/lib/time"):
        (one / name).parent.mkdir(parents=True, exist_ok=True)
        (one / name).write_text(name * 20)
    os.symlink("kept", one / "usr/bin/link")
    subprocess.run(["cp", "-a", one, other], check=True)
    (other / "usr/bin/gone").unlink()
    (other / "usr/new").mkdir()
    (other / "usr/new/file").write_text("new")
    (other / "usr/lib/mode").chmod(0o4755)
    (other / "usr/lib/content").write_text("CONTENT" * 20)
    os.utime(other / "usr/lib/time", ns=(0, 1_000_000_007))
    (other / "usr/bin/link").unlink()
    os.symlink("gone", other / "usr/bin/link")
    for top in (one, other):
        for path in [top, *top.rglob("*")]:
            if path.name != "time":
                os.utime(path, (5, 5), follow_symlinks=False)
    changes = json.loads(ok("diff", "--json", f"dir:{one}", f"dir:{other}"))
    found = {(c["change"], c["path"]): sorted(f["name"] for f in c.get("fields", [])) for c in changes["changes"]}
    assert found == {
        ("removed", "/usr/bin/gone"): [],
        ("changed", "/usr/bin/link"): ["target"],
        ("changed", "/usr/lib/content"): ["digest", "size"],
        ("changed", "/usr/lib/mode"): ["mode"],
        ("changed", "/usr/lib/time"): ["mtime"],
        ("added", "/usr/new"): [],
        ("added", "/usr/new/file"): [],
    }, found
    assert len(ok("diff", f"dir:{one}", f"dir:{other}").splitlines()) == len(found)
    assert run("diff", "--exit-code", f"dir:{one}", f"dir:{other}").returncode == 1
    assert run("diff", "--exit-code", f"dir:{one}", f"dir:{one}").returncode == 0
    # Another hash on one side does not make everything different.
    ok("create", "--hash", "sha256", f"dir:{one}", work / "one.image")
    assert json.loads(ok("diff", "--json", f"image:{work / 'one.image'}", f"dir:{one}"))["equal"]


def listings(work):
    tree = work / "hostile"
    tree.mkdir()
    name = b"a\x1b[31m \n\\\xff"
    (tree / os.fsdecode(name)).write_text("x")
    os.symlink(b"\x07 beep", bytes(tree / "link"))
    lines = ok("ls", f"dir:{tree}").decode().splitlines()
    assert [line.split(" ")[-1] for line in lines[:2]] == ["/", r"/a\x1b[31m\x20\n\\\xff"], lines
    assert lines[2].endswith(r"/link -> \x07\x20beep") and len(lines) == 3, lines
    assert all(32 <= byte < 127 for line in lines for byte in line.encode())
    entries = json.loads(ok("ls", "--json", f"dir:{tree}"))["entries"]
    assert [entry["path"] for entry in entries] == ["/", r"/a\x1b[31m\x20\n\\\xff", "/link"]
    source = oci(work, "base.tar")
    below = ok("ls", source, "/usr").decode().splitlines()
    assert below and all(line.split(" ")[-1].startswith("/usr") or " -> " in line for line in below)
    fails("no '/nowhere'", "ls", source, "nowhere", code=3)
    # Every path of the tar, as tar lists them, and no other.
    whole = {entry["path"] for entry in json.loads(ok("ls", "--json", source))["entries"]}
    tar = subprocess.run(["tar", "-tf", TESTS / "data/oci/base.tar"], text=True, capture_output=True, check=True)
    named = {"/" + line.strip("./") for line in tar.stdout.splitlines()}
    assert whole | {path for path in named if path.startswith("/run/")} == named | {"/"}, whole ^ named


def mistakes(work):
    fails("no kind of source", "digest", "podman:x")
    fails("dir:", "digest", work)
    fails("no composefs image", "info", f"image:{CFSCTL}")
    fails("--bootable", "digest", "--bootable", "dump:-")
    fails("sha512 (--hash)", "digest", "dump:-",
          stdin=b"/ 0 40755 2 0 0 0 0.0 - - -\n/f 99 100644 1 0 0 0 0.0 aa/" + b"a" * 62 + b" - " + b"a" * 64 + b"\n")
    ok("create", oci(work, "base.tar"), work / "image")
    fails("--objects", "mount", f"image:{work / 'image'}", work)
    fails("expected " + "0" * 128, "mount", "--objects", work, "--digest", "0" * 128, f"image:{work / 'image'}", work)
    if not ROOT:
        fails("CAP_SYS_ADMIN", "mount", "--objects", work, f"image:{work / 'image'}", work, code=4)


def half_read(work):
    """`cfsctl image dump ... | head`: silent, as ls and cat are."""
    dump = work / "dump"
    dump.write_text("/ 0 40755 2 0 0 0 0.0 - - -\n" + "".join(f"/{i} 0 100644 1 0 0 0 0.0 - - -\n" for i in range(50000)))
    for verb in ("dump", "ls"):
        with subprocess.Popen([CFSCTL, "image", verb, f"dump:{dump}"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as child:
            assert child.stdout.readline()
            child.stdout.close()
            assert child.stderr.read() == b"", verb
        assert child.returncode == -signal.SIGPIPE, f"{verb}: {child.returncode}"


def main():
    for check in (half_read, round_trip, standard_streams, nothing_is_left, directories, digest_store, differences, listings,
                  mistakes):
        with tempfile.TemporaryDirectory() as work:
            check(pathlib.Path(work))
        print(f"{check.__name__}: ok", flush=True)


main()
