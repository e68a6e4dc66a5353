#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_pushes.py CFSCTL TESTS: one image as another client (skopeo) pushes it to Debian's docker-registry: gzip, zstd,
several architectures in an index, Docker's schema 2. Whatever its blobs and manifests are, `image digest` prints what
composefs-rs computed for its layers."""
import hashlib
import http.client
import json
import pathlib
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time

LAYERS = ("base.tar", "upper.tar")
ACCEPTED = ", ".join((
    "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json"))
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}

# tag, options of skopeo, and what then stands in the registry: the manifest's type and the layers'
PUSHES = (
    ("gzip", ["--dest-compress-format", "gzip"], "image.manifest.v1+json", "tar+gzip"),
    ("zstd", ["--dest-compress-format", "zstd"], "image.manifest.v1+json", "tar+zstd"),
    ("docker", ["--format", "v2s2"], "docker.distribution.manifest.v2+json", "docker.image.rootfs.diff.tar.gzip"),
    ("index", ["--all"], "image.index.v1+json", None),
)


def expected(tests, algorithm, version):
    for line in (tests / "data/oci/expected.tsv").read_text().splitlines():
        if line.split("\t")[:5] == ["+".join(LAYERS), algorithm, "allowlist-only", "plain", version]:
            return line.split("\t")[5]
    raise LookupError("no such row in expected.tsv")


def make_layout(tests, layout):
    """The image as "one"; as "all" with one of another architecture that has other files, first."""
    def add(tag, *layers):
        subprocess.run([tests / "support/oci_layout.py", layout, "--tag", tag, *(tests / "data/oci" / name for name in layers)],
                       check=True)
        return next(entry for entry in json.loads((layout / "index.json").read_text())["manifests"]
                    if entry["annotations"]["org.opencontainers.image.ref.name"] == tag)

    one, other = add("one", *LAYERS), add("other", LAYERS[0])
    here = MACHINES[platform.machine()]
    there = next(name for name in MACHINES.values() if name != here)
    entries = [{key: entry[key] for key in ("mediaType", "digest", "size")} | {
        "platform": {"os": "linux", "architecture": architecture}} for entry, architecture in ((other, there), (one, here))]
    put_index(layout, entries)


def put_index(layout, entries):
    data = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                       "manifests": entries}).encode()
    digest = hashlib.sha256(data).hexdigest()
    (layout / "blobs/sha256" / digest).write_bytes(data)
    index = json.loads((layout / "index.json").read_text())
    index["manifests"].append({"mediaType": "application/vnd.oci.image.index.v1+json", "digest": "sha256:" + digest,
                               "size": len(data), "annotations": {"org.opencontainers.image.ref.name": "all"}})
    (layout / "index.json").write_text(json.dumps(index))


class Registry:
    """One of its own for each push: skopeo leaves out what it believes to be there in another compression."""

    def __init__(self, work):
        work.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.host = f"127.0.0.1:{probe.getsockname()[1]}"
        (work / "registry.yml").write_text(
            f"version: 0.1\nlog: {{ level: error }}\nhttp: {{ addr: '{self.host}' }}\n"
            f"storage: {{ filesystem: {{ rootdirectory: {work}/storage }} }}\n")
        self.process = subprocess.Popen(["docker-registry", "serve", work / "registry.yml"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        for _ in range(300):
            try:
                self.get("")
                return
            except OSError:
                time.sleep(0.1)
        sys.exit("docker-registry does not answer")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def get(self, path):
        connection = http.client.HTTPConnection(self.host, timeout=30)
        connection.request("GET", "/v2/" + path, headers={"Accept": ACCEPTED})
        answer = connection.getresponse()
        return answer.headers.get("Content-Type", ""), answer.read()


def check(cfsctl, tests, registry, layout, push):
    tag, options, manifest_type, layer_type = push
    reference = f"docker://{registry.host}/team/os:{tag}"
    source = f"oci:{layout}:{'all' if tag == 'index' else 'one'}"
    subprocess.run(["skopeo", "--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false", *options, source, reference],
                   check=True)
    found_type, manifest = registry.get(f"team/os/manifests/{tag}")
    wrong = []
    if manifest_type not in found_type:
        wrong.append(f"{tag}: the registry has a {found_type}, wanted {manifest_type}")
    for layer in json.loads(manifest).get("layers", []) if layer_type else []:
        if layer_type not in layer["mediaType"]:
            wrong.append(f"{tag}: a layer is {layer['mediaType']}, wanted {layer_type}")
    for algorithm in ("sha256", "sha512"):
        for version in ("V1", "V2"):
            run = subprocess.run([cfsctl, "image", "digest", "--hash", algorithm, "--format", version.lower(), reference],
                                 text=True, capture_output=True, check=False)
            if run.stdout.strip() != expected(tests, algorithm, version):
                wrong.append(f"{tag} {algorithm} {version}: {run.stdout.strip()} {run.stderr.strip()}")
    return wrong


def main():
    cfsctl, tests = sys.argv[1], pathlib.Path(sys.argv[2])
    missing = [name for name in ("skopeo", "docker-registry") if not shutil.which(name)]
    if missing:
        print("skipped: not installed:", *missing)
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        make_layout(tests, work / "layout")
        wrong = []
        for push in PUSHES:
            with Registry(work / push[0]) as registry:
                wrong += check(cfsctl, tests, registry, work / "layout", push)
    print(*wrong, f"{len(PUSHES)} pushes, {len(wrong)} wrong", sep="\n")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
