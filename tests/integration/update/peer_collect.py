#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""peer_collect.py REPOSITORY: removes what no ref reaches, as another program would that knows composefs-rs' format.

Written from the format alone, so that it shares no mistake with the daemon's own collector: roots are the links
below images/refs and streams/refs; an image keeps the objects that its files name; a stream keeps its objects and
the streams and images that its named refs give the id of. Unmarked objects go, then links that lead nowhere.
Prints what it removed.
"""
import os
import struct
import subprocess
import sys

TRUSTED = 4  # index of the prefix "trusted."
DIRECTORY, REGULAR = 0x4000, 0x8000
BLOCK = 4096


class Splitstream:
    def __init__(self, data):
        if data[:11] != b"SplitStream":
            raise ValueError("no splitstream")
        self.width = {1: 32, 2: 64}[data[14]]
        info = struct.unpack_from("<Q", data, 16)[0]
        ranges = struct.unpack_from("<8Q", data, info)
        self.streams = self.digests(data[ranges[0] : ranges[1]])
        self.objects = self.digests(data[ranges[2] : ranges[3]])
        names = subprocess.run(["zstd", "-dc"], input=data[ranges[6] : ranges[7]], stdout=subprocess.PIPE, check=True)
        records = [record for record in names.stdout.split(b"\0") if record]
        self.named = [self.streams[int(record.split(b":", 1)[0])] for record in records]

    def digests(self, raw):
        return [raw[at : at + self.width].hex() for at in range(0, len(raw), self.width)]


class Erofs:
    def __init__(self, data):
        self.data = data
        magic, = struct.unpack_from("<I", data, 1024)
        if magic != 0xE0F5E1E2:
            raise ValueError("no EROFS image")
        self.root, = struct.unpack_from("<H", data, 1024 + 14)
        self.shared, = struct.unpack_from("<I", data, 1024 + 44)

    def objects(self):
        """What the files' overlay attributes name, as hex."""
        seen, pending = set(), [self.root]
        while pending:
            nid = pending.pop()
            if nid in seen:
                continue
            seen.add(nid)
            inode = Inode(self, nid)
            if inode.mode & 0xF000 == DIRECTORY:
                pending += inode.children()
            elif inode.mode & 0xF000 == REGULAR:
                yield from inode.named_objects()


class Inode:
    def __init__(self, image, nid):
        self.image, at = image, nid * 32
        self.format, count, self.mode = struct.unpack_from("<HHH", image.data, at)
        extended = self.format & 1
        self.size, = struct.unpack_from("<Q" if extended else "<I", image.data, at + 8)
        self.block, = struct.unpack_from("<I", image.data, at + 16)
        self.attributes = at + (64 if extended else 32)
        self.inline = self.attributes + (12 + 4 * (count - 1) if count else 0)
        self.has_attributes = count > 0

    def content(self):
        blocks, tail = divmod(self.size, BLOCK)
        inline = (self.format >> 1) & 7 == 2
        at = self.block * BLOCK
        if not inline:
            return self.image.data[at : at + self.size]
        return self.image.data[at : at + blocks * BLOCK] + self.image.data[self.inline : self.inline + tail]

    def children(self):
        data = self.content()
        for at in range(0, len(data), BLOCK):
            block = data[at : at + BLOCK]
            count = struct.unpack_from("<H", block, 8)[0] // 12
            entries = [struct.unpack_from("<QH", block, 12 * i) for i in range(count)]
            ends = [offset for _, offset in entries[1:]] + [len(block)]
            for (nid, start), end in zip(entries, ends):
                if block[start:end].rstrip(b"\0") not in (b".", b".."):
                    yield nid

    def entries(self):
        """(prefix index, suffix, value) of each attribute."""
        if not self.has_attributes:
            return
        data, shared = self.image.data, self.image.data[self.attributes + 4]
        places = [
            self.image.shared * BLOCK + 4 * struct.unpack_from("<I", data, self.attributes + 12 + 4 * i)[0]
            for i in range(shared)
        ]
        at = self.attributes + 12 + 4 * shared
        while at < self.inline:
            places.append(at)
            at += 4 + data[at] + struct.unpack_from("<H", data, at + 2)[0]
            at += -at % 4
        for place in places:
            name, index, value = struct.unpack_from("<BBH", data, place)
            start = place + 4
            yield index, data[start : start + name], data[start + name : start + name + value]

    def named_objects(self):
        for index, suffix, value in self.entries():
            if index == TRUSTED and suffix == b"overlay.redirect":
                yield value.decode().replace("/", "")
            if index == TRUSTED and suffix == b"overlay.metacopy" and len(value) > 4:
                yield value[4:].hex()


class Repository:
    def __init__(self, path):
        self.path = path
        self.live, self.walked = set(), set()
        self.by_object = {kind: self.links(kind) for kind in ("images", "streams")}

    def links(self, kind):
        """Object -> names of the entries of a kind."""
        out = {}
        for entry in os.scandir(os.path.join(self.path, kind)):
            if entry.is_symlink():
                out.setdefault(self.target(entry.path), []).append(entry.name)
        return out

    @staticmethod
    def target(link):
        return "".join(os.readlink(link).split("/")[-2:])

    def object_path(self, name):
        return os.path.join(self.path, "objects", name[:2], name[2:])

    def read(self, name):
        with open(self.object_path(name), "rb") as source:
            return source.read()

    def refs(self, kind):
        for folder, folders, files in os.walk(os.path.join(self.path, kind, "refs")):
            for name in folders + files:
                path = os.path.join(folder, name)
                if os.path.islink(path):
                    yield os.readlink(path).split("/")[-1]

    def mark(self):
        for kind in ("images", "streams"):
            for name in self.refs(kind):
                entry = os.path.join(self.path, kind, name)
                if os.path.lexists(entry):
                    self.walk(kind, self.target(entry))

    def walk(self, kind, name):
        pending = [(kind, name)]
        while pending:
            kind, name = pending.pop()
            if (kind, name) in self.walked:
                continue
            self.walked.add((kind, name))
            self.live.add(name)
            if kind == "images":
                self.live.update(Erofs(self.read(name)).objects())
                continue
            stream = Splitstream(self.read(name))
            self.live.update(stream.objects)
            self.live.update(stream.named)
            pending += [(k, n) for n in stream.named for k in self.by_object if n in self.by_object[k]]

    def sweep(self):
        objects = links = 0
        for folder, _, files in os.walk(os.path.join(self.path, "objects")):
            for name in files:
                if os.path.basename(folder) + name not in self.live:
                    os.unlink(os.path.join(folder, name))
                    objects += 1
        for kind in ("images", "streams"):
            for folder, folders, files in os.walk(os.path.join(self.path, kind)):
                for name in folders + files:
                    path = os.path.join(folder, name)
                    if os.path.islink(path) and not os.path.exists(path):
                        os.unlink(path)
                        links += 1
        return objects, links


def main():
    repository = Repository(sys.argv[1])
    repository.mark()
    objects, links = repository.sweep()
    print(f"{objects} objects and {links} links removed, {len(repository.live)} objects kept")


if __name__ == "__main__":
    main()
