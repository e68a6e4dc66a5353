#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare_trees.py ONE OTHER: everything that a program sees of two directory trees: names, types, modes, owners,
sizes, times, devices, targets, attributes, hard links and every byte. Ends with 1 and a line per difference."""
import os
import stat
import sys

MAX_LINES = 50


def paths(top):
    yield ""
    for folder, directories, files in os.walk(top):
        for name in directories + files:
            yield os.path.relpath(os.path.join(folder, name), top)


def attributes(path):
    names = os.listxattr(path, follow_symlinks=False)
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in names}


def facts(top, path, first_names):
    full = os.path.join(top, path)
    found = os.lstat(full)
    kind = stat.S_IFMT(found.st_mode)
    out = {
        "mode": oct(found.st_mode),
        "owner": (found.st_uid, found.st_gid),
        "mtime": found.st_mtime_ns,
        "xattrs": attributes(full),
    }
    if kind == stat.S_IFDIR:
        return out
    out["links"] = found.st_nlink
    out["first name"] = first_names.setdefault((found.st_dev, found.st_ino), path)
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        out["device"] = found.st_rdev
    if kind in (stat.S_IFREG, stat.S_IFLNK):
        out["size"] = found.st_size
    if kind == stat.S_IFLNK:
        out["target"] = os.readlink(full)
    return out


def same_content(one, other):
    with open(one, "rb") as a, open(other, "rb") as b:
        while True:
            piece = a.read(1 << 20)
            if piece != b.read(1 << 20):
                return False
            if not piece:
                return True


def main():
    one, other = sys.argv[1:3]
    names, other_names = set(paths(one)), set(paths(other))
    findings = [f"{path}: only in one of the two" for path in sorted(names ^ other_names)]
    first, other_first = {}, {}
    compared = size = 0
    for path in sorted(names & other_names):
        a, b = facts(one, path, first), facts(other, path, other_first)
        findings += [f"{path}: {key} {a.get(key)} {b.get(key)}" for key in sorted(a | b) if a.get(key) != b.get(key)]
        if stat.S_ISREG(int(a["mode"], 8)) and a["mode"] == b["mode"]:
            size += a["size"]
            if not same_content(os.path.join(one, path), os.path.join(other, path)):
                findings.append(f"{path}: other content")
        compared += 1
    print("\n".join(findings[:MAX_LINES]))
    print(f"{compared} paths and {size} bytes compared, {len(findings)} differences")
    sys.exit(0 if compared > 1 and not findings else 1)


main()
