#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""push_layout.py LAYOUT HOST:PORT/NAME TAG...: pushes images of an OCI layout to a registry on loopback."""
import http.client
import json
import os
import sys
import urllib.parse

NAME = "org.opencontainers.image.ref.name"


def blob_path(layout, digest):
    return os.path.join(layout, "blobs", *digest.split(":"))


class Registry:
    def __init__(self, host, name):
        self.host, self.name = host, name

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.host, timeout=60)
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        response.read()
        connection.close()
        return response

    def has(self, digest):
        return self.request("HEAD", f"/v2/{self.name}/blobs/{digest}").status == 200

    def push_blob(self, digest, path):
        if self.has(digest):
            return
        start = self.request("POST", f"/v2/{self.name}/blobs/uploads/")
        url = urllib.parse.urlsplit(start.headers["Location"])
        query = (url.query + "&" if url.query else "") + urllib.parse.urlencode({"digest": digest})
        headers = {"Content-Length": str(os.path.getsize(path)), "Content-Type": "application/octet-stream"}
        with open(path, "rb") as body:
            done = self.request("PUT", f"{url.path}?{query}", body, headers)
        if done.status != 201:
            sys.exit(f"push_layout: {digest}: status {done.status}")

    def push_manifest(self, tag, data, media_type):
        done = self.request("PUT", f"/v2/{self.name}/manifests/{tag}", data, {"Content-Type": media_type})
        if done.status != 201:
            sys.exit(f"push_layout: manifest {tag}: status {done.status}")


def push(registry, layout, reference, entry):
    """A manifest with its blobs, or an index with its manifests."""
    with open(blob_path(layout, entry["digest"]), "rb") as source:
        data = source.read()
    document = json.loads(data)
    for child in document.get("manifests", []):
        push(registry, layout, child["digest"], child)
    for blob in document.get("layers", []) + [document[key] for key in ("config",) if key in document]:
        registry.push_blob(blob["digest"], blob_path(layout, blob["digest"]))
    registry.push_manifest(reference, data, entry["mediaType"])


def main():
    layout, target, tags = sys.argv[1], sys.argv[2], sys.argv[3:]
    registry = Registry(*target.split("/", 1))
    with open(os.path.join(layout, "index.json"), encoding="utf-8") as source:
        entries = {m["annotations"][NAME]: m for m in json.load(source)["manifests"]}
    for tag in tags:
        push(registry, layout, tag, entries[tag])


if __name__ == "__main__":
    main()
