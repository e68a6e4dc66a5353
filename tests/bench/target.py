# SPDX-License-Identifier: Apache-2.0
"""Where images are pulled to: a file system of its own, made anew for each run.

In a folder of a file system that others use, a sync waits for their writes, and ext4 is slow to give out inodes that
were freed minutes ago, as by the removal of the run before.
"""
import atexit
import os
import pathlib
import subprocess
import sys

SIZE = 12 << 30  # sparse; podman's vfs driver copies each layer
KIND = "ext4"


def quietly(*command, check=True):
    return subprocess.run(command, check=check, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


class Target:
    def __init__(self, work):
        self.image, self.path = work / "target.img", work / "site"
        self.path.mkdir(exist_ok=True)
        self.release("--lazy")  # of a run that was killed with no chance to
        atexit.register(self.release, "--lazy")
        self.verity = pathlib.Path(f"/sys/fs/{KIND}/features/verity").exists()

    def renew(self):
        self.release()
        with open(self.image, "wb") as image:
            os.truncate(image.fileno(), SIZE)
        quietly(f"mkfs.{KIND}", "-q", "-F", *(["-O", "verity"] if self.verity else []), self.image)
        found = subprocess.run(["losetup", "--direct-io=on", "--find", "--show", self.image], check=False,
                               capture_output=True, text=True)
        if found.returncode != 0:
            sys.exit(f"bench: this needs a loop device: {found.stderr.strip()}")
        device = found.stdout.strip()
        # No background writes of mkfs's leftovers while somebody is measured.
        quietly("mount", "-o", "noinit_itable", device, self.path)
        quietly("losetup", "--detach", device)  # once it is unmounted

    def release(self, *how):
        if self.path.is_mount():
            quietly("umount", "--recursive", *how, self.path)
        self.image.unlink(missing_ok=True)

    def describe(self):
        return f"target: a new {KIND} on a loop device for each run, {'with' if self.verity else 'without'} fs-verity"
