# SPDX-License-Identifier: Apache-2.0
"""What a machine wrote to its disk, in order, as QEMU's blklogwrites or the kernel's dm-log-writes record it, and the disks
that a loss of power could have left behind.

The format is the kernel's (drivers/md/dm-log-writes.c): a sector with magic, version, number of entries and sector size;
then each entry: a sector that starts with sector, sectors, flags and bytes of a mark, and the data, unless it discards.
"""
import collections
import os
import struct

MAGIC, VERSION, SECTOR = 0x6A736677736872, 1, 512
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8

Entry = collections.namedtuple("Entry", "sector sectors flags at")


def read_log(path):
    """The entries; `at` is where the data lies in the log."""
    entries = []
    with open(path, "rb") as log:
        magic, version, count, size = struct.unpack("<QQQI", log.read(28))
        if (magic, version, size) != (MAGIC, VERSION, SECTOR):
            raise ValueError(f"{path} is no log of writes: {magic:#x}, version {version}, sectors of {size}")
        at = SECTOR
        for _ in range(count):
            log.seek(at)
            sector, sectors, flags, marked = struct.unpack("<QQQQ", log.read(32))
            if flags & FUA or flags & MARK or marked:
                raise ValueError(f"flags {flags:#x} at {at}: no driver of these machines writes that")
            entries.append(Entry(sector, sectors, flags, at + SECTOR))
            at += SECTOR if flags & DISCARD else SECTOR * (1 + sectors)
        if os.fstat(log.fileno()).st_size < at:
            raise ValueError(f"{path} ends before its last entry")
    return entries


def apply(log, entry, disk):
    """What one entry does, to a file that stands for the disk."""
    disk.seek(entry.sector * SECTOR)
    if entry.flags & DISCARD:
        disk.write(bytes(entry.sectors * SECTOR))
    elif entry.sectors:
        log.seek(entry.at)
        disk.write(log.read(entry.sectors * SECTOR))


class Replay:
    """A disk that goes through the log, forward only."""

    def __init__(self, base, path):
        self.entries, self.log, self.disk = read_log(path), open(path, "rb"), open(base, "r+b")
        self.done = 0

    def go_to(self, index):
        """Everything before the entry of that index is on the disk."""
        for entry in self.entries[self.done:index]:
            apply(self.log, entry, self.disk)
        self.done = max(self.done, index)
        self.disk.flush()

    def lose(self, index, copy, random):
        """In a copy of the disk as it is now: of what was written up to that entry, without a flush, some is lost."""
        with open(copy, "r+b") as disk:
            for entry in self.entries[self.done:index]:
                if random.random() < 0.5:
                    apply(self.log, entry, disk)
