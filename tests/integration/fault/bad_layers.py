#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bad_layers.py IMAGES OUT: an OCI layout whose tags are v2 with one more layer, hostile or broken, before the UKI's.

The UKI is v2's own, signed and sound: what comes behind the gate is what is tested.
"""
import gzip
import hashlib
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import zlib

NAME = "org.opencontainers.image.ref.name"
LAYER = "application/vnd.oci.image.layer.v1.tar"
BLOCK = 512
EPOCH = 1700000000


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Layout:
    def __init__(self, path):
        self.path = path
        with open(os.path.join(path, "index.json"), encoding="utf-8") as source:
            self.index = json.load(source)

    def blob_path(self, digest):
        return os.path.join(self.path, "blobs", *digest.split(":"))

    def read(self, digest):
        with open(self.blob_path(digest), "rb") as source:
            return source.read()

    def write(self, data, digest=None):
        digest = digest or digest_of(data)
        with open(self.blob_path(digest), "wb") as sink:
            sink.write(data)
        return digest

    def image(self, tag):
        for entry in self.index["manifests"]:
            if entry["annotations"][NAME] == tag:
                manifest = json.loads(self.read(entry["digest"]))
                return entry, manifest, json.loads(self.read(manifest["config"]["digest"]))
        raise KeyError(tag)

    def add_manifest(self, tag, entry, data):
        new = dict(entry, digest=self.write(data), size=len(data), annotations={NAME: tag})
        self.index["manifests"].append(new)

    def add(self, tag, blob, diff_id, media_type=LAYER, **changed):
        """v2 with a layer more; `changed` members of its descriptor lie."""
        entry, manifest, config = self.image("v2")
        layer = {"mediaType": media_type, "digest": self.write(blob), "size": len(blob)}
        layer.update(changed)
        manifest["layers"].insert(-1, layer)
        config["rootfs"]["diff_ids"].insert(-1, diff_id)
        self.add_documents(tag, entry, manifest, config)

    def add_documents(self, tag, entry, manifest, config):
        data = json.dumps(config).encode()
        manifest["config"] = dict(manifest["config"], digest=self.write(data), size=len(data))
        self.add_manifest(tag, entry, json.dumps(manifest).encode())

    def save(self):
        with open(os.path.join(self.path, "index.json"), "w", encoding="utf-8") as sink:
            json.dump(self.index, sink)


def info(name, kind=tarfile.REGTYPE, size=0, link="", mode=0o644):
    member = tarfile.TarInfo(name)
    member.type, member.size, member.linkname, member.mode, member.mtime = kind, size, link, mode, EPOCH
    return member


def pad(data):
    return data + bytes(-len(data) % BLOCK)


def entry(member, data=b"", form=tarfile.PAX_FORMAT):
    return member.tobuf(form, "utf-8", "surrogateescape") + pad(data)


def file(name, data=b"x"):
    return entry(info(name, size=len(data)), data)


def pax(records, member, data=b""):
    """An entry after an extension header with these records, byte for byte."""
    body = b""
    for key, value in records.items():
        line = b" " + key + b"=" + value + b"\n"
        size = len(line) + len(str(len(line)))
        size = len(line) + len(str(size))
        body += str(size).encode() + line
    head = entry(info("PaxHeaders/x", b"x", len(body)), body, tarfile.USTAR_FORMAT)
    return head + entry(member, data, tarfile.USTAR_FORMAT)


def gnu_long(kind, text, member):
    return entry(info("././@LongLink", kind, len(text)), text, tarfile.GNU_FORMAT) + \
        entry(member, b"", tarfile.GNU_FORMAT)


def with_field(offset, raw):
    """A file entry with raw bytes in its header, the checksum made right again."""
    data = bytearray(info("usr/share/odd", size=1).tobuf(tarfile.USTAR_FORMAT))
    data[offset : offset + len(raw)] = raw
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:BLOCK])
    return bytes(data)


def tar(*entries):
    return b"".join(entries) + bytes(2 * BLOCK)


def zstd(data):
    return subprocess.run(["zstd", "-qc", "-19"], input=data, stdout=subprocess.PIPE, check=True).stdout


def paths():
    yield "dotdot", file("usr/../../evil")
    yield "dotdot-first", file("../evil")
    yield "dotdot-hard-link", entry(info("usr/share/evil", tarfile.LNKTYPE, link="../../etc/shadow"))
    yield "absolute", file("/usr/share/evil")
    yield "through-symlink", entry(info("usr/share/out", tarfile.SYMTYPE, link="/tmp")) + file("usr/share/out/evil")
    yield "through-old-symlink", file("lib/evil")
    yield "through-file", file("usr/share/data/file1/evil")
    yield "no-parent", file("usr/none/evil")
    yield "duplicate", file("usr/share/twice", b"one") + file("usr/share/twice", b"two")
    yield "root-is-a-link", entry(info("./", tarfile.SYMTYPE, link="usr"))
    yield "etc-is-a-file", file("etc", b"no directory")
    yield "long-name", pax({b"path": b"usr/share/" + b"n" * 300}, info("x"))
    yield "long-path", pax({b"path": b"usr/" + b"d/" * 5000 + b"x"}, info("x"))
    yield "nul-in-name", pax({b"path": b"usr/share/a\0b"}, info("x"))
    yield "empty-name", entry(info(""))
    yield "whiteout-of-nothing", file("usr/share/.wh.", b"")
    yield "deep", b"".join(entry(info("usr/" + "d/" * n, tarfile.DIRTYPE, mode=0o755)) for n in range(1, 1500))


def links():
    yield "hard-link-to-nothing", entry(info("usr/share/evil", tarfile.LNKTYPE, link="usr/share/none"))
    yield "hard-link-to-directory", entry(info("usr/share/evil", tarfile.LNKTYPE, link="usr/share/data"))
    yield "hard-link-to-itself", entry(info("usr/share/evil", tarfile.LNKTYPE, link="usr/share/evil"))
    yield "long-symlink", gnu_long(b"K", b"l" * 70000 + b"\0", info("usr/share/evil", tarfile.SYMTYPE))
    yield "empty-symlink", entry(info("usr/share/evil", tarfile.SYMTYPE))


def headers():
    sparse = info("usr/share/sparse", tarfile.GNUTYPE_SPARSE, size=1)
    yield "sparse", entry(sparse, b"x", tarfile.GNU_FORMAT)
    records = {b"GNU.sparse.major": b"1", b"GNU.sparse.minor": b"0", b"GNU.sparse.name": b"usr/share/sparse",
               b"GNU.sparse.realsize": b"1000000"}
    yield "sparse-pax", pax(records, info("usr/share/GNUSparseFile.0/sparse", size=512), b"1\n0\n1\n".ljust(512, b"\0"))
    yield "unknown-type", entry(info("usr/share/odd", b"Z"))
    yield "bad-checksum", file("usr/share/odd")[:148] + b"0000000\0" + file("usr/share/odd")[156:]
    yield "huge-size", with_field(124, b"\x80" + struct.pack(">IQ", 0, 1 << 62)[1:])
    yield "negative-size", with_field(124, b"\xff" * 12)
    yield "size-of-letters", with_field(124, b"zzzzzzzzzzz\0")
    yield "huge-pax-size", pax({b"size": b"99999999999999999999999"}, info("usr/share/odd"))
    yield "pax-without-length", entry(info("PaxHeaders/x", b"x", 10), b"path=usr/x", tarfile.USTAR_FORMAT) + file("x")
    yield "pax-without-entry", entry(info("PaxHeaders/x", b"x", 9), b"9 path=x\n", tarfile.USTAR_FORMAT)


def xattrs():
    yield "huge-xattr", pax({b"SCHILY.xattr.security.huge": b"x" * 65536}, info("usr/share/odd"))
    yield "long-xattr-name", pax({b"SCHILY.xattr.user." + b"n" * 300: b"x"}, info("usr/share/odd"))
    many = {b"SCHILY.xattr.security.n%d" % n: b"x" * 60000 for n in range(20)}
    yield "many-xattrs", pax(many, info("usr/share/odd"))
    yield "nameless-xattr", pax({b"SCHILY.xattr.": b"x"}, info("usr/share/odd"))


def limits():
    yield "many-entries", b"".join(file("usr/share/n%d" % n, b"") for n in range(3000))
    yield "much-metadata", pax({b"comment": b"c" * 3000000}, info("usr/share/odd"))


def add_plain(layout):
    for group in (paths, links, headers, xattrs, limits):
        for tag, body in group():
            data = tar(body)
            layout.add(tag, data, digest_of(data))
    cut = file("usr/share/cut", b"x" * 5000)[:2000]
    layout.add("cut-payload", cut, digest_of(cut))
    layout.add("cut-header", cut[:300], digest_of(cut[:300]))
    noise = bytes(range(256)) * 8
    layout.add("no-tar", noise, digest_of(noise))


def add_compressed(layout):
    bomb = tar(file("usr/share/zeros", bytes(96 << 20)))
    padding = tar(file("usr/share/zeros")) + bytes(96 << 20)
    layout.add("padding-gzip", gzip.compress(padding, 9, mtime=0), digest_of(padding), LAYER + "+gzip")
    layout.add("padding-zstd", zstd(padding), digest_of(padding), LAYER + "+zstd")
    good = tar(file("usr/share/fine", bytes(range(256)) * 100))
    packed = gzip.compress(good, 9, mtime=0)
    layout.add("bomb-gzip", gzip.compress(bomb, 9, mtime=0), digest_of(bomb), LAYER + "+gzip")
    layout.add("bomb-zstd", zstd(bomb), digest_of(bomb), LAYER + "+zstd")
    layout.add("cut-gzip", packed[:-20], digest_of(good), LAYER + "+gzip")
    wrong = packed[:-8] + struct.pack("<I", zlib.crc32(good) ^ 1) + packed[-4:]
    layout.add("wrong-crc-gzip", wrong, digest_of(good), LAYER + "+gzip")
    layout.add("cut-zstd", zstd(good)[:-10], digest_of(good), LAYER + "+zstd")
    layout.add("plain-as-gzip", good, digest_of(good), LAYER + "+gzip")
    layout.add("gzip-as-plain", packed, digest_of(good))
    layout.add("gzip-as-zstd", packed, digest_of(good), LAYER + "+zstd")
    layout.add("after-the-end-gzip", packed + b"more", digest_of(good), LAYER + "+gzip")
    layout.add("empty", b"", digest_of(b""), LAYER + "+gzip")
    layout.add("harmless", packed, digest_of(good), LAYER + "+gzip")
    layout.add("wrong-diff-id", packed, digest_of(b"other"), LAYER + "+gzip")
    layout.add("wrong-size", packed, digest_of(good), LAYER + "+gzip", size=len(packed) - 1)
    layout.add("no-size", packed, digest_of(good), LAYER + "+gzip", size=0)
    layout.add("vast-size", packed, digest_of(good), LAYER + "+gzip", size=1 << 60)
    layout.add("larger-than-the-disk", packed, digest_of(good), LAYER + "+gzip", size=1 << 50)
    layout.add("negative-blob-size", packed, digest_of(good), LAYER + "+gzip", size=-1)
    layout.add("wrong-media-type", packed, digest_of(good), "text/html")
    layout.add("unknown-compression", packed, digest_of(good), LAYER + "+xz")
    layout.add("digest-that-climbs", packed, digest_of(good), LAYER + "+gzip", digest="sha256:../../../index.json")
    layout.add("weak-digest", packed, digest_of(good), LAYER + "+gzip", digest="md5:" + "0" * 32)


def add_ten_million_entries(layout):
    """Five gigabytes of headers: zstd frames that follow each other unpack to one stream."""
    frame = zstd(b"".join(file("usr/share/n%d" % n, b"") for n in range(10000)))
    layout.add("ten-million-entries", frame * 1000 + zstd(bytes(2 * BLOCK)), digest_of(b"unknown"), LAYER + "+zstd")


def add_documents(layout):
    image, manifest, config = layout.image("v2")
    layout.add_manifest("manifest-is-html", image, b"<html><body>log in</body></html>")
    layout.add_manifest("manifest-is-cut", image, json.dumps(manifest).encode()[:-30])
    layout.add_manifest("manifest-is-a-list", image, b"[]")
    layout.add_manifest("manifest-without-layers", image, json.dumps(dict(manifest, layers=[])).encode())
    layout.add_manifest("manifest-nested", image, b"[" * 100000)
    rootfs = dict(config["rootfs"], diff_ids=config["rootfs"]["diff_ids"][:-1])
    layout.add_documents("one-diff-id-less", image, dict(manifest), dict(config, rootfs=rootfs))
    for name, platform in (("architecture", {"architecture": "riscv64", "os": "linux"}),
                           ("system", {"architecture": "amd64", "os": "plan9"})):
        index = {"schemaVersion": 2, "manifests": [dict(image, platform=platform)]}
        kind = "application/vnd.oci.image.index.v1+json"
        layout.add_manifest("index-for-another-" + name, {"mediaType": kind}, json.dumps(index).encode())


def main():
    images, out = sys.argv[1:]
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(images, out)
    layout = Layout(out)
    add_plain(layout)
    add_compressed(layout)
    add_ten_million_entries(layout)
    add_documents(layout)
    layout.save()


if __name__ == "__main__":
    main()
