# SPDX-License-Identifier: Apache-2.0
"""Debian's docker-registry on loopback, with the images of an OCI layout in it."""
import atexit
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time

from measure import cpu_of, wait_until

SUPPORT = pathlib.Path(__file__).resolve().parent.parent / "support"
NAME = "bench/os"
PIECE = 1 << 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Registry:
    def __init__(self, work, tags):
        self.root = work / "registry"
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir()
        self.host = f"127.0.0.1:{free_port()}"
        config = work / "registry.yml"
        config.write_text(
            "version: 0.1\n"
            "log: { level: error, accesslog: { disabled: true } }\n"
            f"storage: {{ filesystem: {{ rootdirectory: {self.root} }} }}\n"
            f"http: {{ addr: '{self.host}' }}\n"
        )
        with open(work / "registry.log", "wb") as log:
            self.process = subprocess.Popen(["docker-registry", "serve", config], stdout=log, stderr=log)
        atexit.register(self.stop)
        wait_until(self.answers, "docker-registry")
        subprocess.run([SUPPORT / "push_layout.py", work / "images", f"{self.host}/{NAME}", *tags], check=True)

    def answers(self):
        try:
            connection = http.client.HTTPConnection(self.host, timeout=5)
            connection.request("GET", "/v2/")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def reference(self, tag):
        return f"docker://{self.host}/{NAME}:{tag}"

    def cpu(self):
        return cpu_of(self.process.pid)

    def warm(self):
        """Reads all blobs, so that nobody pays for the registry's disk."""
        for path in self.root.glob("docker/registry/v2/blobs/*/*/*/data"):
            with open(path, "rb") as blob:
                while blob.read(PIECE):
                    pass

    def lookup(self, tag):
        """What a check asks a registry, over one connection: a manifest and its config; seconds that takes."""
        start = time.monotonic()
        connection = http.client.HTTPConnection(self.host, timeout=60)
        accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
        connection.request("GET", f"/v2/{NAME}/manifests/{tag}", headers=accept)
        manifest = json.loads(connection.getresponse().read())
        connection.request("GET", f"/v2/{NAME}/blobs/{manifest['config']['digest']}")
        connection.getresponse().read()
        return time.monotonic() - start

    def read_blob(self, digest):
        """Downloads a blob into nothing; its size."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        connection.request("GET", f"/v2/{NAME}/blobs/{digest}")
        response = connection.getresponse()
        if response.status != 200:
            raise OSError(f"{digest}: status {response.status}")
        piece, size = bytearray(PIECE), 0
        while n := response.readinto(piece):
            size += n
        return size

    def stop(self):
        self.process.terminate()
        self.process.wait()
