#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes an OCI image layout from layer tars: oci_layout.py OUT --tag v1 LAYER.tar...

A layer FILE.tar.gz or FILE.tar.zst is stored as it is and its diff_id is taken from FILE.tar beside it. Every
run over the same files gives the same bytes. A second run with another tag adds to the layout.
"""
import argparse
import hashlib
import json
import os

TYPE = "application/vnd.oci.image."
SUFFIXES = {".gz": "+gzip", ".zst": "+zstd"}


def digest_of(path):
    sha = hashlib.sha256()
    with open(path, "rb") as source:
        while chunk := source.read(1 << 20):
            sha.update(chunk)
    return "sha256:" + sha.hexdigest()


def blob_path(out, digest):
    return os.path.join(out, "blobs", *digest.split(":"))


def add_file(out, path, media_type):
    digest = digest_of(path)
    target = blob_path(out, digest)
    if not os.path.exists(target):
        with open(path, "rb") as source, open(target, "wb") as sink:
            while chunk := source.read(1 << 20):
                sink.write(chunk)
    return {"mediaType": media_type, "digest": digest, "size": os.path.getsize(path)}


def add_json(out, value, media_type):
    data = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    with open(blob_path(out, digest), "wb") as sink:
        sink.write(data)
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def add_layer(out, path):
    stem, suffix = os.path.splitext(path)
    kind = SUFFIXES.get(suffix, "")
    descriptor = add_file(out, path, TYPE + "layer.v1.tar" + kind)
    return descriptor, digest_of(stem) if kind else descriptor["digest"]


def add_to_index(out, descriptor, tag):
    path = os.path.join(out, "index.json")
    index = {"schemaVersion": 2, "mediaType": TYPE + "index.v1+json", "manifests": []}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as source:
            index = json.load(source)
    name = "org.opencontainers.image.ref.name"
    kept = [m for m in index["manifests"] if m.get("annotations", {}).get(name) != tag]
    index["manifests"] = kept + [dict(descriptor, annotations={name: tag})]
    with open(path, "w", encoding="utf-8") as sink:
        json.dump(index, sink, indent=2)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("layers", nargs="+")
    parser.add_argument("--tag", required=True)
    parser.add_argument("--architecture", default="amd64")
    arguments = parser.parse_args()
    os.makedirs(os.path.join(arguments.out, "blobs", "sha256"), exist_ok=True)
    layers = [add_layer(arguments.out, path) for path in arguments.layers]
    config = {
        "architecture": arguments.architecture,
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in layers]},
        "history": [{"created_by": os.path.basename(path)} for path in arguments.layers],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": TYPE + "manifest.v1+json",
        "config": add_json(arguments.out, config, TYPE + "config.v1+json"),
        "layers": [descriptor for descriptor, _ in layers],
    }
    add_to_index(arguments.out, add_json(arguments.out, manifest, manifest["mediaType"]), arguments.tag)
    with open(os.path.join(arguments.out, "oci-layout"), "w", encoding="utf-8") as sink:
        sink.write('{"imageLayoutVersion": "1.0.0"}')


if __name__ == "__main__":
    main()
