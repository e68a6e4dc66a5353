#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the signed images of this folder anew: ./make.py (needs openssl, sbsign, osslsigncode, objcopy).

Keys are made for one run and thrown away, so all files change together. golden.tsv holds what
osslsigncode calculated for each image; nothing in it comes from the project's own code.
"""
import pathlib
import re
import struct
import subprocess
import tempfile

OUT = pathlib.Path(__file__).resolve().parent
FILE_ALIGN = 0x200
PAGE = 0x1000

OSREL = b"""# a comment
ID=cfsos
IMAGE_ID=cfsos
IMAGE_VERSION=42.1
VERSION_ID="42"
PRETTY_NAME="CFS OS 42.1"
CFS_SECURITY_VERSION=7
"""
DIGEST = "6c" * 32
SECTIONS = [
    (".text", b"\xc3"),
    (".osrel", OSREL),
    (".cmdline", b"quiet composefs=" + DIGEST.encode() + b" panic=1\n"),
    (".uname", b"6.1.0-18-amd64\n"),
    (".linux", b"not a kernel, " * 40),
    (".initrd", b"not an initrd, " * 10),
]


def align(value, to):
    return (value + to - 1) // to * to


def build_pe(sections, tail=b""):
    """A PE32+ EFI application of the given sections; nothing in it runs."""
    headers = align(0x40 + 24 + 240 + 40 * len(sections), FILE_ALIGN)
    table, body, raw, address = b"", b"", headers, PAGE
    for name, content in sections:
        padded = content.ljust(align(len(content), FILE_ALIGN), b"\0")
        table += struct.pack("<8sIIIIIIHHI", name.encode(), len(content), address, len(padded), raw,
                             0, 0, 0, 0, 0x40000040 if name != ".text" else 0x60000020)
        body, raw, address = body + padded, raw + len(padded), align(address + len(content), PAGE)
    dos = b"MZ".ljust(0x3c, b"\0") + struct.pack("<I", 0x40)
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, len(sections), 1, 0, 0, 240, 0x22e)
    optional = struct.pack("<HBBIIIII", 0x20b, 14, 0, FILE_ALIGN, 0, 0, PAGE, PAGE)
    optional += struct.pack("<QIIHHHHHHIIII", 0x10000000, PAGE, FILE_ALIGN, 0, 0, 0, 0, 1, 0, 0,
                            address, headers, 0)
    optional += struct.pack("<HHQQQQII", 10, 0x160, 0x100000, PAGE, 0x100000, PAGE, 0, 16)
    optional += bytes(16 * 8)
    assert len(optional) == 240
    return (dos + coff + optional + table).ljust(headers, b"\0") + body + tail


def run(*args, ok=True):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False)
    if ok and done.returncode != 0:
        raise SystemExit(f"{args}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


# --- certificates ---------------------------------------------------------------------------------

class Pki:
    def __init__(self, folder):
        self.folder = folder

    def key(self, name):
        return self.folder / f"{name}.key"

    def cert(self, name):
        return OUT / f"{name}.pem"

    def self_signed(self, name, key="rsa:2048", *extra):
        run("openssl", "req", "-x509", "-nodes", "-newkey", key, "-subj", f"/O=Test/CN={name}", "-days",
            36500, "-keyout", self.key(name), "-out", self.cert(name), *extra)

    def issued(self, name, issuer, extensions, days=36500, digest="-sha256"):
        request, ext = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        ext.write_text(extensions)
        run("openssl", "req", "-new", "-nodes", "-newkey", "rsa:2048", "-subj", f"/O=Test/CN={name}",
            "-keyout", self.key(name), "-out", request)
        run("openssl", "x509", "-req", "-in", request, "-CA", self.cert(issuer), "-CAkey",
            self.key(issuer), "-days", days, digest, "-extfile", ext, "-out", self.cert(name))

    def make(self):
        ec = ("-pkeyopt", "ec_paramgen_curve:P-256")
        self.self_signed("db")
        self.self_signed("other")
        self.self_signed("ca")
        self.self_signed("ec", "ec", *ec)
        self.self_signed("ed25519", "ed25519")
        self.self_signed("rsa1024", "rsa:1024")
        self.self_signed("rsa3072", "rsa:3072")
        code = "basicConstraints=CA:FALSE\nextendedKeyUsage=codeSigning\n"
        self.issued("intermediate", "ca", "basicConstraints=critical,CA:TRUE\n")
        self.issued("leaf-code", "ca", code)
        self.issued("leaf-server", "ca", "basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n")
        self.issued("leaf-expired", "ca", code, days=-1)
        self.issued("leaf-below", "intermediate", code)
        self.issued("leaf-sha1", "ca", code, digest="-sha1")
        self.issued("leaf-of-ec", "ec", code)


# --- signatures by outside tools ------------------------------------------------------------------

def sbsign(pki, name, source, out):
    run("sbsign", "--key", pki.key(name), "--cert", pki.cert(name), "--output", out, source)


def osslsigncode(pki, name, source, out, *options):
    out.unlink(missing_ok=True)
    run("osslsigncode", "sign", "-certs", pki.cert(name), "-key", pki.key(name), *options, "-in",
        source, "-out", out)


def calculated(path):
    """(algorithm, hex) as osslsigncode calculates it from the file."""
    text = run("osslsigncode", "verify", "-in", path, ok=False)
    algorithm = re.search(r"Message digest algorithm\s*:\s*(\S+)", text).group(1).lower()
    return algorithm, re.search(r"Calculated message digest\s*:\s*([0-9A-F]+)", text).group(1).lower()


def fingerprint(path):
    text = run("openssl", "x509", "-in", path, "-noout", "-fingerprint", "-sha256")
    return path.stem + "\t" + text.strip().split("=")[1].replace(":", "").lower() + "\n"


# --- signatures by hand, for what no tool makes ---------------------------------------------------

def der(tag, *parts):
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def oid(dotted):
    numbers = [int(n) for n in dotted.split(".")]
    out = bytes([numbers[0] * 40 + numbers[1]])
    for number in numbers[2:]:
        groups = [number & 0x7f]
        while number := number >> 7:
            groups.append(0x80 | number & 0x7f)
        out += bytes(reversed(groups))
    return der(0x06, out)


NULL = b"\x05\x00"
HASH_OID = {"sha256": "2.16.840.1.101.3.4.2.1", "sha512": "2.16.840.1.101.3.4.2.3"}
INDIRECT, PE_IMAGE = "1.3.6.1.4.1.311.2.1.4", "1.3.6.1.4.1.311.2.1.15"


def algorithm(dotted):
    return der(0x30, oid(dotted), NULL)


class Crafted:
    """PKCS#7 of one image digest; each argument bends one rule."""

    def __init__(self, pki, digest, image_hash="sha256", inner_kind=PE_IMAGE, content_kind=INDIRECT,
                 content_tag=0x30, attributes=("type", "digest"), attribute_kind=INDIRECT, signers=1,
                 hashes=("sha256",), with_cert=True, tail=b""):
        self.pki = pki
        link = der(0xa0, der(0xa2, der(0x80)))
        spc = der(0x30, der(0x30, oid(inner_kind), der(0x30, der(0x03, b"\0"), link)),
                  der(0x30, algorithm(HASH_OID[image_hash]), der(0x04, digest), tail))
        inside = spc[2:] if spc[1] < 0x80 else spc[2 + (spc[1] & 0x7f):]
        if content_tag == 0x04:
            spc = der(0x04, inside)
        self.attributes = b""
        if "type" in attributes:
            self.attributes += der(0x30, oid("1.2.840.113549.1.9.3"), der(0x31, oid(attribute_kind)))
        if "digest" in attributes:
            self.attributes += der(0x30, oid("1.2.840.113549.1.9.4"),
                                   der(0x31, der(0x04, self.digest(inside))))
        signed = der(0x31, self.attributes) if self.attributes else inside
        info = self.signer_info(signed)
        certs = der(0xa0, self.x509("der")) if with_cert else b""
        data = der(0x30, b"\x02\x01\x01", der(0x31, *(algorithm(HASH_OID[h]) for h in hashes)),
                   der(0x30, oid(content_kind), der(0xa0, spc)), certs, der(0x31, info * signers))
        self.blob = der(0x30, oid("1.2.840.113549.1.7.2"), der(0xa0, data))

    def openssl(self, data, *args):
        path = self.pki.folder / "input"
        path.write_bytes(data)
        return subprocess.run(["openssl", *map(str, args), str(path)], check=True,
                              capture_output=True).stdout

    def digest(self, data):
        return self.openssl(data, "dgst", "-sha256", "-binary")

    def x509(self, form):
        return subprocess.run(["openssl", "x509", "-in", str(self.pki.cert("db")), "-outform", form],
                              check=True, capture_output=True).stdout

    def signer_info(self, signed):
        cert = self.x509("der")
        serial = run("openssl", "x509", "-in", self.pki.cert("db"), "-noout", "-serial")
        number = bytes.fromhex(serial.strip().split("=")[1])
        number = b"\0" + number if number[0] & 0x80 else number
        name = der(0x30, der(0x31, der(0x30, oid("2.5.4.10"), der(0x0c, b"Test"))),
                   der(0x31, der(0x30, oid("2.5.4.3"), der(0x0c, b"db"))))
        assert name in cert
        signature = self.openssl(signed, "dgst", "-sha256", "-sign", self.pki.key("db"))
        return der(0x30, b"\x02\x01\x01", der(0x30, name, der(0x02, number)),
                   algorithm(HASH_OID["sha256"]),
                   der(0xa0, self.attributes) if self.attributes else b"",
                   algorithm("1.2.840.113549.1.1.1"), der(0x04, signature))


def attach(pe, *entries):
    """pe with a certificate table of (type, body) entries."""
    pe = bytearray(pe.ljust(align(len(pe), 8), b"\0"))
    table = b""
    for kind, body in entries:
        table += struct.pack("<IHH", 8 + len(body), 0x200, kind) + body
        table = table.ljust(align(len(table), 8), b"\0")
    struct.pack_into("<II", pe, 0x40 + 24 + 112 + 32, len(pe), len(table))
    return bytes(pe) + table


PKCS7_GUID = bytes.fromhex("9dd2af4adf68ee498aa9347d375665a7")


def craft_all(pki, pe, digest):
    made = {
        "crafted": {},
        "crafted-no-attributes": {"attributes": ()},
        "crafted-no-type": {"attributes": ("digest",)},
        "crafted-no-digest": {"attributes": ("type",)},
        "crafted-other-type": {"attribute_kind": "1.2.840.113549.1.7.1"},
        "crafted-two-signers": {"signers": 2},
        "crafted-no-signer": {"signers": 0},
        "crafted-no-cert": {"with_cert": False},
        "crafted-two-hashes": {"hashes": ("sha256", "sha512")},
        "crafted-mixed-hashes": {"image_hash": "sha512", "digest": digest * 2},
        "crafted-short-digest": {"digest": digest[:31]},
        "crafted-not-pe": {"inner_kind": "1.3.6.1.4.1.311.2.1.30"},
        "crafted-data": {"content_kind": "1.2.840.113549.1.7.1", "content_tag": 0x04},
        "crafted-octets": {"content_tag": 0x04},
        "crafted-tail": {"tail": NULL},
    }
    for name, bent in made.items():
        blob = Crafted(pki, **{"digest": digest, **bent}).blob
        (OUT / f"{name}.efi").write_bytes(attach(pe, (2, blob)))
    good = Crafted(pki, digest).blob
    (OUT / "crafted-guid.efi").write_bytes(attach(pe, (0x0ef1, PKCS7_GUID + good)))
    (OUT / "crafted-other-guid.efi").write_bytes(attach(pe, (0x0ef1, bytes(16) + good)))
    (OUT / "crafted-pad7.efi").write_bytes(attach(pe, (2, good + bytes(7))))
    (OUT / "crafted-pad8.efi").write_bytes(attach(pe, (2, good + bytes(8))))
    (OUT / "crafted-pad-garbage.efi").write_bytes(attach(pe, (2, good + b"\0\x01")))
    return good


def main():
    for old in [*OUT.glob("*.efi"), *OUT.glob("*.pem"), *OUT.glob("*.p7")]:
        old.unlink()
    with tempfile.TemporaryDirectory() as temp:
        folder = pathlib.Path(temp)
        pki = Pki(folder)
        pki.make()
        plain = OUT / "unsigned.efi"
        plain.write_bytes(build_pe(SECTIONS))
        small = folder / "small.efi"  # what only the signature matters for
        small.write_bytes(build_pe(SECTIONS[:1]))
        odd = OUT / "odd-unsigned.efi"
        odd.write_bytes(build_pe(SECTIONS[:1], b"abc"))
        tail = folder / "tail.efi"
        tail.write_bytes(build_pe(SECTIONS[:1], b"symbols " * 20))

        sbsign(pki, "db", plain, OUT / "sbsign.efi")
        osslsigncode(pki, "db", plain, OUT / "osslsigncode.efi", "-h", "sha256")
        sbsign(pki, "db", odd, OUT / "odd-sbsign.efi")
        osslsigncode(pki, "db", odd, OUT / "odd-osslsigncode.efi", "-h", "sha256")
        sbsign(pki, "db", tail, OUT / "tail.efi")
        for name in ("other", "ec", "rsa1024", "rsa3072", "leaf-code", "leaf-server", "leaf-expired",
                     "leaf-sha1", "leaf-of-ec"):
            osslsigncode(pki, name, small, OUT / f"by-{name}.efi", "-h", "sha256")
        osslsigncode(pki, "leaf-below", small, OUT / "by-leaf-below.efi", "-h", "sha256", "-ac",
                     pki.cert("intermediate"))
        for name in ("sha1", "sha384", "sha512", "md5"):
            osslsigncode(pki, "db", small, OUT / f"{name}.efi", "-h", name)
        osslsigncode(pki, "db", small, OUT / "page-hashes.efi", "-h", "sha256", "-ph")
        osslsigncode(pki, "db", small, OUT / "unauthenticated.efi", "-h", "sha256",
                     "-addUnauthenticatedBlob")
        sbsign(pki, "other", small, folder / "one.efi")
        sbsign(pki, "db", folder / "one.efi", OUT / "other-then-db.efi")
        osslsigncode(pki, "other", small, folder / "outer.efi", "-h", "sha256")
        osslsigncode(pki, "db", folder / "outer.efi", OUT / "nested.efi", "-h", "sha256", "-nest")
        added = folder / "added"
        added.write_bytes(b"added with objcopy")
        run("objcopy", "--add-section", f".added={added}", "--change-section-vma",
            ".added=0x10009000", plain, folder / "objcopy.efi")
        sbsign(pki, "db", folder / "objcopy.efi", OUT / "objcopy.efi")

        # A second tool agrees (sbverify knows SHA-256 only).
        for name in ("sbsign", "osslsigncode", "odd-sbsign", "tail", "objcopy"):
            run("sbverify", "--cert", pki.cert("db"), OUT / f"{name}.efi")

        small_digest = bytes.fromhex(calculated(OUT / "by-other.efi")[1])
        blob = craft_all(pki, small.read_bytes(), small_digest)
        (OUT / "db.p7").write_bytes(blob)
        for tool in (["sbverify", "--cert", pki.cert("db")],
                     ["osslsigncode", "verify", "-CAfile", pki.cert("db"), "-in"]):
            run(*tool, OUT / "crafted.efi")

        (OUT / "fingerprints.tsv").write_text("".join(map(fingerprint, sorted(OUT.glob("*.pem")))))
        golden = ["# file\talgorithm\tAuthenticode hash, as calculated by osslsigncode"]
        for path in sorted(OUT.glob("*.efi")):
            # osslsigncode does not walk sbsign's unpadded second entry.
            if path.name.startswith(("crafted", "other-then")) or "unsigned" in path.name:
                continue
            golden.append("\t".join([path.name, *calculated(path)]))
        (OUT / "golden.tsv").write_text("\n".join(golden) + "\n")


if __name__ == "__main__":
    main()
