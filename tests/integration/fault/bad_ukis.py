#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bad_ukis.py FIXTURES OUT: an OCI layout whose tags are v2 with another UKI, and the certificates of its signers.

    pe-*         v2's signed UKI with one field bent; a check of a signature would come too late
    signed-*     v2's UKI, bent where it says so, then signed by the vendor's key
    by-*         v2's UKI signed by somebody else; OUT/NAME.pem is the certificate
    crafted-*    v2's UKI with a signature put together by hand, one rule broken
    plain        v2's UKI, not signed
"""
import pathlib
import shutil
import struct
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "data" / "uki")]
sys.dont_write_bytecode = True

import make  # noqa: E402: of tests/data/uki
import tamper  # noqa: E402


class Pe:
    """Reads and writes fields of a PE image by name."""

    def __init__(self, data):
        self.data = bytearray(data)
        self.pe = self.get("<I", 0x3C)
        self.optional = self.pe + 24
        self.table = self.optional + self.get("<H", self.pe + 20)
        self.count = self.get("<H", self.pe + 6)
        self.certificates = self.optional + 144

    def get(self, form, offset):
        return struct.unpack_from(form, self.data, offset)[0]

    def put(self, form, offset, value):
        struct.pack_into(form, self.data, offset, value)

    def section(self, index):
        return self.table + 40 * (index % self.count)

    def named(self, name):
        for index in range(self.count):
            at = self.section(index)
            if self.data[at : at + 8].rstrip(b"\0") == name:
                return at
        raise KeyError(name)

    def signature(self):
        return self.get("<I", self.certificates)


def cut(pe, size):
    del pe.data[size:]


def share_bytes(pe):
    pe.put("<I", pe.section(2) + 20, pe.get("<I", pe.section(1) + 20))


def two_entries(pe):
    pe.data += pe.data[pe.signature() :]


HAZARDS = {
    "empty": lambda pe: cut(pe, 0),
    "cut-in-dos-header": lambda pe: cut(pe, 63),
    "no-mz": lambda pe: pe.put("<H", 0, 0x4D4D),
    "header-behind-end": lambda pe: pe.put("<I", 0x3C, 0x7FFFFFF8),
    "header-in-dos-header": lambda pe: pe.put("<I", 0x3C, 0x38),
    "header-unaligned": lambda pe: pe.put("<I", 0x3C, pe.pe + 4),
    "optional-header-too-small": lambda pe: pe.put("<H", pe.pe + 20, 232),
    "optional-header-too-big": lambda pe: pe.put("<H", pe.pe + 20, 0xFFFF),
    "pe32-on-64-bit": lambda pe: pe.put("<H", pe.optional, 0x10B),
    "no-certificate-directory": lambda pe: pe.put("<I", pe.optional + 108, 4),
    "too-many-directories": lambda pe: pe.put("<I", pe.optional + 108, 0x20000000),
    "headers-unhashed": lambda pe: pe.put("<I", pe.optional + 60, pe.table),
    "headers-behind-end": lambda pe: pe.put("<I", pe.optional + 60, 0xFFFFFFFF),
    "no-sections": lambda pe: pe.put("<H", pe.pe + 6, 0),
    "65535-sections": lambda pe: pe.put("<H", pe.pe + 6, 65535),
    "section-behind-end": lambda pe: pe.put("<I", pe.section(-1) + 16, len(pe.data)),
    "section-wraps": lambda pe: pe.put("<I", pe.section(-1) + 16, 0xFFFFFE00),
    "section-in-headers": lambda pe: pe.put("<I", pe.section(0) + 20, 0x200),
    "section-at-zero": lambda pe: pe.put("<I", pe.section(0) + 20, 0),
    "sections-share-bytes": share_bytes,
    "section-wraps-in-memory": lambda pe: pe.put("<I", pe.section(-1) + 8, 0xFFFFFFFF),
    "signature-in-a-section": lambda pe: pe.put("<I", pe.certificates, pe.get("<I", pe.section(-1) + 20)),
    "signature-without-size": lambda pe: pe.put("<I", pe.certificates + 4, 0),
    "signature-behind-end": lambda pe: pe.put("<I", pe.certificates + 4, 0xFFFFFFF8),
    "signature-of-no-length": lambda pe: pe.put("<I", pe.signature(), 0),
    "signature-of-huge-length": lambda pe: pe.put("<I", pe.signature(), 0xFFFFFFFF),
    "data-behind-signature": two_entries,
    "cut-short": lambda pe: cut(pe, len(pe.data) - 8),
}


def bend_cmdline(raw):
    def bend(pe):
        at = pe.get("<I", pe.named(b".cmdline") + 20)
        assert pe.data[at : at + 5] == b"quiet"
        pe.data[at : at + 5] = raw

    return bend


def hide(name):
    def bend(pe):
        at = pe.named(name)
        pe.data[at : at + 8] = b".hidden\0"

    return bend


SIGNED = {
    "nul-in-cmdline": bend_cmdline(b"qu\0et"),
    "no-utf8-in-cmdline": bend_cmdline(b"qu\xffet"),
    "end-of-arguments": bend_cmdline(b"a -- "),
    "open-quote": bend_cmdline(b'a="b '),
    "no-cmdline": hide(b".cmdline"),
    "no-kernel": hide(b".linux"),
    "no-os-release": hide(b".osrel"),
    "other-machine": lambda pe: pe.put("<H", pe.pe + 4, 0xAA64),
    "no-efi-application": lambda pe: pe.put("<H", pe.optional + 68, 3),
}

CRAFTED = {
    "sound": {},
    "no-attributes": {"attributes": ()},
    "no-digest": {"attributes": ("type",)},
    "other-type": {"attribute_kind": "1.2.840.113549.1.7.1"},
    "two-signers": {"signers": 2},
    "no-signer": {"signers": 0},
    "no-certificate": {"with_cert": False},
    "two-hashes": {"hashes": ("sha256", "sha512")},
    "not-pe": {"inner_kind": "1.3.6.1.4.1.311.2.1.30"},
    "data-behind-digest": {"tail": make.NULL},
}


class Pki(make.Pki):
    """make.py's, with certificates that stay with the images."""

    def __init__(self, folder, out):
        super().__init__(folder)
        self.out = out

    def cert(self, name):
        return self.out / f"{name}.pem"


class Maker:
    def __init__(self, fixtures, out, folder):
        self.fixtures, self.folder = fixtures, folder
        self.pki = Pki(folder, out)
        self.layout = tamper.Layout(str(out))
        self.entries = tamper.entries_of(tamper.uki_layer_of(self.layout, "v2"))
        self.uki = next(data for member, data in self.entries if member.name.endswith(".efi"))
        self.plain = self.tool("sbattach --remove FILE", self.uki)

    def tool(self, command, data):
        """What a command makes of a file with these bytes."""
        path = self.folder / "work.efi"
        path.write_bytes(data)
        make.run(*[path if word == "FILE" else word for word in command.split()])
        return path.read_bytes()

    def add(self, tag, uki):
        changed = [(m, bytes(uki) if m.name.endswith(".efi") else d) for m, d in self.entries]
        tamper.with_uki_layer(self.layout, "v2", tag, tamper.tar_of(changed))

    def sign(self, data, key, cert, *options):
        source, signed = self.folder / "plain.efi", self.folder / "signed.efi"
        source.write_bytes(data)
        signed.unlink(missing_ok=True)
        make.run("osslsigncode", "sign", "-certs", cert, "-key", key, *(options or ("-h", "sha256")), "-in", source,
                 "-out", signed)
        return signed.read_bytes()

    def bent(self):
        for name, bend in HAZARDS.items():
            pe = Pe(self.uki)
            bend(pe)
            self.add("pe-" + name, pe.data)
        keys = self.fixtures / "keys"
        for name, bend in SIGNED.items():
            pe = Pe(self.plain)
            bend(pe)
            self.add("signed-" + name, self.sign(pe.data, keys / "db.key", keys / "db.crt"))
        self.add("plain", self.plain)

    def signed_by_others(self):
        self.pki.make()
        for name in ("other", "ec", "rsa1024", "leaf-code", "leaf-server", "leaf-expired", "leaf-sha1", "leaf-of-ec"):
            self.add("by-" + name, self.sign(self.plain, self.pki.key(name), self.pki.cert(name)))
        for name in ("sha1", "md5"):
            self.add("by-db-over-" + name, self.sign(self.plain, self.pki.key("db"), self.pki.cert("db"), "-h", name))

    def crafted(self):
        path = self.folder / "measured.efi"
        path.write_bytes(self.sign(self.plain, self.pki.key("db"), self.pki.cert("db")))
        digest = bytes.fromhex(make.calculated(path)[1])
        for name, bent in CRAFTED.items():
            blob = make.Crafted(self.pki, **{"digest": digest, **bent}).blob
            pe = Pe(self.plain)
            padded = bytes(pe.data) + bytes(-len(pe.data) % 8)
            table = struct.pack("<IHH", 8 + len(blob), 0x200, 2) + blob
            table += bytes(-len(table) % 8)
            struct.pack_into("<II", pe.data, pe.certificates, len(padded), len(table))
            self.add("crafted-" + name, bytes(pe.data) + bytes(len(padded) - len(pe.data)) + table)


def main():
    fixtures, out = map(pathlib.Path, sys.argv[1:])
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(fixtures / "images", out)
    with tempfile.TemporaryDirectory() as folder:
        maker = Maker(fixtures, out, pathlib.Path(folder))
        maker.bent()
        maker.signed_by_others()
        maker.crafted()
        maker.layout.save()


if __name__ == "__main__":
    main()
