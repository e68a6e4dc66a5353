#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""push_layout.py LAYOUT HOST:PORT/NAME TAG...: pushes images of an OCI layout to a registry on loopback."""
import http.client
import json
import os
import sys
import urllib.parse

NAME = "org.opencontainers.image.ref.name"


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


def main():
    layout, target, tags = sys.argv[1], sys.argv[2], sys.argv[3:]
    registry = Registry(*target.split("/", 1))
    with open(os.path.join(layout, "index.json"), encoding="utf-8") as source:
        entries = {m["annotations"][NAME]: m for m in json.load(source)["manifests"]}
    for tag in tags:
        entry = entries[tag]
        path = os.path.join(layout, "blobs", *entry["digest"].split(":"))
        with open(path, "rb") as source:
            data = source.read()
        manifest = json.loads(data)
        for blob in manifest["layers"] + [manifest["config"]]:
            registry.push_blob(blob["digest"], os.path.join(layout, "blobs", *blob["digest"].split(":")))
        registry.push_manifest(tag, data, entry["mediaType"])


if __name__ == "__main__":
    main()
