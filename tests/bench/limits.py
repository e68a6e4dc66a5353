# SPDX-License-Identifier: Apache-2.0
"""What no program that checks an image can beat on this machine: each unavoidable step alone, on one core."""
import hashlib
import os
import subprocess
import time

from measure import syncfs

PIECE = 1 << 20
TOOLS = {"gzip": ["igzip", "-dc"], "zstd": ["zstd", "-dcq"]}


def blobs(paths):
    for path in paths:
        with open(path, "rb") as source:
            while piece := source.read(PIECE):
                yield piece


def hashing(name, paths):
    hasher = hashlib.new(name)
    for piece in blobs(paths):
        hasher.update(piece)


def inflating(kind, paths):
    for path in paths:
        subprocess.run([*TOOLS[kind], path], check=True, stdout=subprocess.DEVNULL)


def writing(paths, target):
    with open(target, "wb", buffering=0) as sink:
        for piece in blobs(paths):
            sink.write(piece)
    syncfs(os.path.dirname(target))
    os.unlink(target)


def cpu_so_far():
    """Of this process and of what it ran."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def measure(kind, verity_hash, packed, unpacked, registry, digests, scratch):
    """Seconds and CPU seconds of each step: `packed` and `unpacked` are the layers' files, `digests` the blobs' names."""
    steps = {
        "receive": lambda: [registry.read_blob(digest) for digest in digests],
        "sha256 of blobs": lambda: hashing("sha256", packed),
        "decompress": lambda: inflating(kind, packed),
        "sha256 of tars": lambda: hashing("sha256", unpacked),
        f"{verity_hash} of files": lambda: hashing(verity_hash, unpacked),
        "write + sync": lambda: writing(unpacked, os.path.join(scratch, "written")),
    }
    costs = {}
    for name, step in steps.items():
        start, cpu = time.monotonic(), cpu_so_far()
        step()
        costs[name] = (time.monotonic() - start, cpu_so_far() - cpu)
    return costs


def best(seconds, cores):
    """Of a perfect pipeline: no step starts late, no core is ever idle."""
    return max(max(seconds.values()), sum(seconds.values()) / cores)
