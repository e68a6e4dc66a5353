#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tamper.py IMAGES UNSEALED: adds images to the layout IMAGES that a device must refuse.

Digests of blobs, configs and manifests are made right again, as somebody who controls the registry would do:
what is wrong is what only signatures and the image digest can tell.
"""
import hashlib
import io
import json
import os
import shutil
import struct
import sys
import tarfile

NAME = "org.opencontainers.image.ref.name"
MARK = {"org.cfsupdate1.layer": "uki"}


class Layout:
    def __init__(self, path):
        self.path = path
        with open(os.path.join(path, "index.json"), encoding="utf-8") as source:
            self.index = json.load(source)

    def blob_path(self, digest):
        return os.path.join(self.path, "blobs", *digest.split(":"))

    def read(self, descriptor):
        with open(self.blob_path(descriptor["digest"]), "rb") as source:
            return source.read()

    def write(self, data, template):
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        with open(self.blob_path(digest), "wb") as sink:
            sink.write(data)
        return dict(template, digest=digest, size=len(data))

    def image(self, tag):
        for entry in self.index["manifests"]:
            if entry.get("annotations", {}).get(NAME) == tag:
                manifest = json.loads(self.read(entry))
                return entry, manifest, json.loads(self.read(manifest["config"]))
        raise KeyError(tag)

    def add(self, tag, entry, manifest, config):
        manifest["config"] = self.write(json.dumps(config).encode(), manifest["config"])
        new = self.write(json.dumps(manifest).encode(), entry)
        new["annotations"] = {NAME: tag}
        self.index["manifests"].append(new)

    def save(self):
        with open(os.path.join(self.path, "index.json"), "w", encoding="utf-8") as sink:
            json.dump(self.index, sink)


def uki_layer_of(layout, tag):
    _, manifest, _ = layout.image(tag)
    return layout.read(manifest["layers"][-1])


def entries_of(tar):
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return [(m, archive.extractfile(m).read() if m.isfile() else None) for m in archive.getmembers()]


def tar_of(entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member, data in entries:
            member.size = len(data) if data is not None else 0
            archive.addfile(member, io.BytesIO(data) if data is not None else None)
    return out.getvalue()


def file_entry(name, data):
    member = tarfile.TarInfo(name)
    member.mtime = 1700000000
    member.mode = 0o644
    return member, data


def with_uki_layer(layout, tag, new_tag, layer):
    entry, manifest, config = layout.image(tag)
    manifest["layers"][-1] = layout.write(layer, manifest["layers"][-1])
    config["rootfs"]["diff_ids"][-1] = manifest["layers"][-1]["digest"]
    layout.add(new_tag, entry, manifest, config)


def change_uki(layout, tag, new_tag, change):
    entries = entries_of(uki_layer_of(layout, tag))
    changed = [(m, change(bytearray(d)) if m.name.endswith(".efi") else d) for m, d in entries]
    with_uki_layer(layout, tag, new_tag, tar_of(changed))


def flip_in_section(data, wanted=b".initrd"):
    pe = struct.unpack_from("<I", data, 0x3C)[0]
    count, optional = struct.unpack_from("<H", data, pe + 6)[0], struct.unpack_from("<H", data, pe + 20)[0]
    for i in range(count):
        header = pe + 24 + optional + 40 * i
        if data[header : header + 8].rstrip(b"\0") == wanted:
            offset = struct.unpack_from("<I", data, header + 20)[0]
            data[offset + 100] ^= 1
            return bytes(data)
    raise KeyError(wanted)


def flip_signature(data):
    # The last bytes of the certificate table are the RSA signature (and up to 7 bytes of padding).
    data[-40] ^= 1
    return bytes(data)


def main():
    layout = Layout(sys.argv[1])
    unsealed = Layout(sys.argv[2])
    v2, v3 = uki_layer_of(layout, "v2"), uki_layer_of(layout, "v3")

    entry, manifest, config = unsealed.image("v2")
    for descriptor in manifest["layers"] + [manifest["config"]]:
        shutil.copyfile(unsealed.blob_path(descriptor["digest"]), layout.blob_path(descriptor["digest"]))
    layout.add("unsealed", entry, manifest, config)

    entry, manifest, config = layout.image("v2")
    manifest["layers"].append(layout.write(v3, manifest["layers"][-1]))
    config["rootfs"]["diff_ids"].append(manifest["layers"][-1]["digest"])
    layout.add("two-layers", entry, manifest, config)

    both = entries_of(v2) + [e for e in entries_of(v3) if e[0].name.endswith(".efi")]
    both[-1][0].name = os.path.dirname(both[-1][0].name) + "/second.efi"
    with_uki_layer(layout, "v2", "two-ukis", tar_of(both))
    with_uki_layer(layout, "v2", "outside", tar_of(entries_of(v2) + [file_entry("usr/lib/extra", b"x" * 100)]))
    with_uki_layer(layout, "v2", "other-uki", v3)
    with_uki_layer(layout, "v3-squeezed", "v3-stuffed", v3)
    change_uki(layout, "v2", "flip-uki", flip_in_section)
    change_uki(layout, "v2", "flip-signature", flip_signature)
    layout.save()


if __name__ == "__main__":
    main()
