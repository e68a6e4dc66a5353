#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""forget.py begin|sync|syncfs|end MACHINE SHADOW [PATH FD]: what a power cut leaves of a machine when a disk keeps
nothing that was not synced. PATH is empty where only FD tells the file. SHADOW/tree is that at any moment:

  syncfs          all of its file system: sysroot, or the ESP
  fsync a file    its content, under the names that are durable already
  fsync a folder  its names; a file behind a new one has the content that was synced, or none. Not on the ESP: there
                  only a file's own sync or syncfs writes a renamed entry (spec: vfat)
  end             the power is back: MACHINE has SHADOW/tree

Real file systems keep more (a journal orders renames, fsync of a new file brings its name along): what survives here
survives there. EFI variables are the firmware's and always durable; /run is another boot's.
"""
import fcntl
import json
import os
import shutil
import stat
import subprocess
import sys

PARTS = ("sysroot", "esp")


class Shadow:
    def __init__(self, machine, shadow):
        self.machine, self.shadow = machine, shadow
        self.tree, self.pending = f"{shadow}/tree", f"{shadow}/pending"

    def load(self):
        with open(f"{self.shadow}/map.json", encoding="ascii") as source:
            self.inodes = json.load(source)

    def save(self):
        with open(f"{self.shadow}/map.json", "w", encoding="ascii") as sink:
            json.dump(self.inodes, sink)

    def names_of(self, inode):
        return [name for name, number in self.inodes.items() if number == inode]

    def mirror(self, part):
        shutil.rmtree(f"{self.tree}/{part}", ignore_errors=True)
        copy(f"{self.machine}/{part}", f"{self.tree}/{part}")
        self.inodes = {name: number for name, number in self.inodes.items() if name.split("/")[0] != part}
        self.inodes[part] = os.lstat(f"{self.machine}/{part}").st_ino
        for folder, folders, files in os.walk(f"{self.machine}/{part}"):
            for name in folders + files:
                path = f"{folder}/{name}"
                self.inodes[os.path.relpath(path, self.machine)] = os.lstat(path).st_ino

    def sync_file(self, fd):
        inode = os.stat(fd).st_ino
        kept = f"{self.pending}/{inode}"
        subprocess.run(["cp", "-aL", "--", fd, kept + ".new"], check=True)
        os.rename(kept + ".new", kept)
        for name in self.names_of(inode):
            with open(kept, "rb") as source, open(f"{self.tree}/{name}", "wb") as sink:
                shutil.copyfileobj(source, sink)
            shutil.copystat(kept, f"{self.tree}/{name}")

    def find(self, fd):
        """The live name of an open file, None if it has none."""
        inode = os.stat(fd).st_ino
        for part in PARTS:
            for folder, folders, files in os.walk(f"{self.machine}/{part}"):
                for path in [folder] + [f"{folder}/{name}" for name in folders + files]:
                    if os.lstat(path).st_ino == inode:
                        return os.path.relpath(path, self.machine)
        return None

    def drop(self, name):
        path = f"{self.tree}/{name}"
        shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
        for other in [each for each in self.inodes if each == name or each.startswith(name + "/")]:
            del self.inodes[other]

    def bring(self, name, aside):
        """A name that became durable, and what it then stands for, into `aside`."""
        state = os.lstat(f"{self.machine}/{name}")
        known = self.names_of(state.st_ino)
        if known:
            copy(f"{self.tree}/{known[0]}", aside)
            return {name + each[len(known[0]):]: number for each, number in self.inodes.items()
                    if each == known[0] or each.startswith(known[0] + "/")}
        if stat.S_ISDIR(state.st_mode):
            os.mkdir(aside, stat.S_IMODE(state.st_mode))
        elif stat.S_ISLNK(state.st_mode):
            os.symlink(os.readlink(f"{self.machine}/{name}"), aside)
        elif os.path.exists(f"{self.pending}/{state.st_ino}"):
            copy(f"{self.pending}/{state.st_ino}", aside)
        else:
            open(aside, "wb").close()
        return {name: state.st_ino}

    def sync_folder(self, name):
        if name not in self.inodes or name.split("/")[0] == "esp":
            return  # nobody can find it, or vfat's rule
        there = {f"{name}/{each}": os.lstat(f"{self.machine}/{name}/{each}").st_ino
                 for each in os.listdir(f"{self.machine}/{name}")}
        new = [each for each, inode in there.items() if self.inodes.get(each) != inode]
        brought, aside = {}, f"{self.shadow}/aside"
        shutil.rmtree(aside, ignore_errors=True)
        os.mkdir(aside)
        for i, each in enumerate(new):
            brought.update(self.bring(each, f"{aside}/{i}"))
        for each in [n for n in self.inodes if os.path.dirname(n) == name]:
            if there.get(each) != self.inodes[each]:
                self.drop(each)
        for i, each in enumerate(new):
            os.rename(f"{aside}/{i}", f"{self.tree}/{each}")
        self.inodes.update(brought)

    def detach(self, folder):
        """Each real folder to a place of its own, empty: its inode number is part of what a disk keeps."""
        for each in os.scandir(folder):
            if each.is_dir(follow_symlinks=False):
                self.detach(each.path)
            else:
                os.unlink(each.path)
        os.rename(folder, f"{self.shadow}/folders/{os.lstat(folder).st_ino}")

    def put_back(self, name):
        source, target = f"{self.tree}/{name}", f"{self.machine}/{name}"
        kept = f"{self.shadow}/folders/{self.inodes[name]}"
        os.rename(kept, target) if os.path.isdir(kept) else os.mkdir(target)
        for each in os.listdir(source):
            path = f"{source}/{each}"
            if os.path.isdir(path) and not os.path.islink(path):
                self.put_back(f"{name}/{each}")
            else:
                copy(path, f"{target}/{each}")
        state = os.lstat(source)
        os.chown(target, state.st_uid, state.st_gid)
        shutil.copystat(source, target)


def copy(source, target):
    subprocess.run(["cp", "-a", "--", source, target], check=True)


def main():
    what, machine, shadow = sys.argv[1:4]
    self = Shadow(machine, shadow)
    if what == "begin":
        os.makedirs(self.tree)
        os.makedirs(self.pending)
        self.inodes = {}
        for part in PARTS:
            self.mirror(part)
        self.save()
        return
    self.load()
    if what == "end":
        os.mkdir(f"{shadow}/folders")
        for part in PARTS:
            self.detach(f"{machine}/{part}")
            self.put_back(part)
        return
    with open(f"{shadow}/lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path, fd = sys.argv[4:]
        name = os.path.relpath(path, machine) if path else self.find(fd)
        if name is None:
            return
        if what == "syncfs":
            self.mirror(name.split("/")[0])
        elif stat.S_ISDIR(os.stat(fd).st_mode):
            self.sync_folder(name)
        elif stat.S_ISREG(os.stat(fd).st_mode):
            self.sync_file(fd)
        self.save()


main()
