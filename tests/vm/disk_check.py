# SPDX-License-Identifier: Apache-2.0
"""Would the machine boot from this disk? Looks at a disk at rest, without starting it: is each loader entry a whole UKI of
a known version, and has the one that the loader takes, and the version that ran when all began, everything it needs?"""
import contextlib
import ctypes
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess

from vm import Failure, check, equal

ESP = "@@1M"
ROOT = (1 + 256) << 20  # as make_guest lays it out
VERITY = 0x00100000  # STATX_ATTR_VERITY
AT_FDCWD, NO_FOLLOW, STATX = -100, 0x100, 332

libc = ctypes.CDLL(None, use_errno=True)


def has_verity(path):
    """The file system's mark; the host's kernel may be one that cannot open such a file."""
    found = ctypes.create_string_buffer(256)
    if libc.syscall(STATX, AT_FDCWD, os.fsencode(path), NO_FOLLOW, 0x7FF, found) != 0:
        raise OSError(ctypes.get_errno(), str(path))
    return bool(int.from_bytes(found.raw[8:16], "little") & VERITY)


def run(*argv, good=(0,)):
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False)
    check(done.returncode in good, f"{' '.join(map(str, argv))}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


@contextlib.contextmanager
def root_of(disk, folder):
    """The root file system, as it is after its journal was replayed; e2fsck finds nothing else to mend."""
    device = run("losetup", "-f", "--show", "-o", ROOT, disk).strip()
    try:
        run("e2fsck", "-fp", device, good=(0, 1))
        run("e2fsck", "-fn", device)
        folder.mkdir(exist_ok=True)
        run("mount", "-o", "ro,noload", device, folder)
        try:
            yield folder
        finally:
            run("umount", folder)
    finally:
        run("losetup", "-d", device)


class DiskCheck:
    """Knows the UKIs and images of a disk on which all versions are as they should be."""

    def __init__(self, build, work, disk):
        self.choice, self.client = build / "tests/vm/loader_choice", build / "client/cfsctl"
        self.work = work
        self.ukis, self.versions, self.objects = {}, {}, {}
        for path in self.entries(disk):
            uki = path.read_bytes()
            digest = re.search(rb"composefs[.=][a-z0-9.=:?-]*?([0-9a-f]{64,128})\b", uki)[1].decode()
            self.ukis[self.hash(path)] = digest
            self.versions[re.search(rb"IMAGE_VERSION=(\S+)", uki)[1].decode()] = digest
        with root_of(disk, work / "root") as root:
            links = {digest: os.readlink(root / "composefs/images" / digest) for digest in self.ukis.values()}
        for digest, link in links.items():
            image = work / "image"
            inside = os.path.normpath("/composefs/images/" + link)
            run("debugfs", "-R", f"dump {inside} {image}", f"{disk}?offset={ROOT}")
            listed = json.loads(run(self.client, "image", "objects", f"image:{image}", "--json"))
            self.objects[digest] = [(each["path"], each["size"]) for each in listed["objects"]]
            check(self.objects[digest], f"no objects in {digest}")

    @staticmethod
    def hash(path):
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def entries(self, disk):
        """What a loader reads. A file without that suffix may be half there."""
        esp = self.work / "esp"
        shutil.rmtree(esp, ignore_errors=True)
        (esp / "EFI/Linux").mkdir(parents=True)
        (esp / "loader").mkdir()
        names = run("mdir", "-b", "-i", f"{disk}{ESP}", "::/EFI/Linux").split()
        names = [name for name in names if name.lower().endswith(".efi")]
        check(names, "no entries")
        run("mcopy", "-n", "-i", f"{disk}{ESP}", *names, esp / "EFI/Linux")
        run("mcopy", "-n", "-i", f"{disk}{ESP}", "::/loader/loader.conf", esp / "loader")
        return sorted((esp / "EFI/Linux").iterdir())

    def complete(self, root, digest):
        """All that a boot of this image reads, and that the kernel will check it."""
        deploy = root / "state/deploy" / digest
        check((deploy / "etc/passwd").is_file(), f"{digest} has no /etc")
        check((deploy / "var").exists() or (deploy / "var").is_symlink(), f"{digest} has no /var")
        image = root / "composefs/images" / digest
        check(image.is_file() and has_verity(image.resolve()), f"image {digest} is not there")
        for name, size in self.objects[digest]:
            path = root / "composefs/objects" / name
            try:
                equal(os.lstat(path).st_size, size, f"bytes of {path}")
            except FileNotFoundError:
                raise Failure(f"{path} is lost, of {digest}") from None
            check(has_verity(path), f"{path} has no verity")

    def __call__(self, disk, always):
        """Of the disk at rest, which it may mend as a boot would. \\returns the image of the entry that the loader takes,
        and the names of empty files, which it does not list: a rename on vfat that was cut short leaves one"""
        paths = self.entries(disk)
        found = {path.name: self.ukis.get(self.hash(path)) for path in paths}
        empty = [path.name for path in paths if path.stat().st_size == 0]
        broken = [name for name, digest in found.items() if digest is None and name not in empty]
        check(not broken, f"entries that are no UKI of ours: {broken}")
        check(always in found.values(), f"no entry of {always}, there are {found}")
        chosen = run(self.choice, self.work / "esp").split("\n")[0]
        check(found.get(chosen), f"the loader takes '{chosen}' of {found}")
        with root_of(disk, self.work / "root") as root:
            for digest in {always, found[chosen]}:
                self.complete(root, digest)
        return found[chosen], empty
