#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""write_log.py GUEST WORK: all that a machine writes while it updates itself and restarts is recorded. The disk at each
flush, and at cuts between them of whose last writes some are lost, could be mounted and booted; a few are."""
import contextlib
import pathlib
import random
import shutil
import sys

from disk_check import ROOT, DiskCheck, run
from disk_log import FLUSH, SECTOR, Replay
from orderly import in_order
from vm import Failure, check, equal, main, step

CUTS, BOOTS, SEED = 200, 3, 20261122
BUILD = pathlib.Path(sys.argv[1]).resolve().parent


def copy(disk, to):
    run("cp", "--sparse=always", disk, to)


def record(vm):
    """An update from version 1 to 2 in one log. \\returns where in it the update begins"""
    vm.log = vm.work / "writes.log"
    vm.start()
    vm.wait_until_proven()
    vm.run("echo mine > /etc/cfsvm.conf; sync")
    begin = vm.log.stat().st_size
    vm.update("v2")
    vm.reboot(version="2")
    vm.wait_until_proven()
    vm.power_off()
    return begin


@contextlib.contextmanager
def memory(folder):
    """Hundreds of disks are made and thrown away: no real one has to hold them."""
    folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=6g", "tmpfs", folder)
    try:
        yield folder
    finally:
        run("umount", "-l", folder)  # a failed check's files may be open
        folder.rmdir()


def stops_in(log, begin):
    """Where the power fails: (entry, whether writes since the last flush are lost), in order. At each flush, behind each
    small write to the ESP, which has no journal, and anywhere."""
    first = next(i for i, entry in enumerate(log.entries) if entry.at > begin)
    flushes = [i for i, entry in enumerate(log.entries) if entry.flags & FLUSH and i >= first]
    names = [i + 1 for i, entry in enumerate(log.entries)
             if i >= flushes[0] and 0 < entry.sectors <= 8 and entry.sector * SECTOR < ROOT]
    cuts = random.Random(SEED)
    stops = {(i, False) for i in flushes + names}
    stops |= {(cuts.randrange(flushes[0] + 1, len(log.entries)), True) for _ in range(CUTS)}
    print(f"   {len(log.entries) - first} writes: {len(flushes)} flushes, {len(names)} small ones to the ESP, {CUTS} cuts",
          flush=True)
    return sorted(stops), flushes


def replay(vm, checker, disk, begin, always):
    """\\returns disks to boot from: some, and the first with each set of empty entries; and the images that the loader
    takes, in order"""
    log, state, chance = Replay(disk, vm.log), disk.with_name("state.img"), random.Random(SEED)
    stops, flushes = stops_in(log, begin)
    boots, kept, taken = set(chance.sample(range(len(stops)), BOOTS)), {}, []
    for number, (stop, loses) in enumerate(stops):
        log.go_to(max(i for i in flushes if i < stop) if loses else stop)
        copy(disk, state)
        if loses:
            log.lose(stop, state, chance)
        where = f"{'cut' if loses else 'end'} at write {stop} of {len(log.entries)}"
        try:
            image, empty = checker(state, always)
        except Failure as failure:
            raise Failure(f"{where}: {failure}") from None
        taken.append(image)
        name = " ".join(empty) or where
        if number in boots or (empty and name not in kept):
            kept[name] = vm.work / f"boot-{number}.img"
            copy(state, kept[name])
        if number % 100 == 0:
            print(f"   {number} of {len(stops)} disks", flush=True)
    log.go_to(len(log.entries))
    return kept, taken


def boot(vm, disk):
    """What the power cut left is put in order. \\returns whether a file was lost with its name, and repaired"""
    disk.rename(vm.disk)
    shutil.copy(vm.guest / "vars.fd", vm.vars)
    vm.start()
    broken = [(each["version"], each["problem"]) for each in vm.status()["deployments"] if each["problem"]]
    if broken:
        equal(broken, [("2", "an empty file: a copy or a rename was cut short")], "what is broken")
        print(vm.run("cfsctl repair 2>&1", seconds=600), end="")
        vm.reboot(version="2")
    in_order(vm, "1", "2")
    vm.power_off()
    return bool(broken)


def scenario(vm):
    step("an update and a restart, recorded")
    begin = record(vm)
    end = vm.work / "end.img"
    vm.disk.rename(end)
    copy(end, vm.disk)
    checker = DiskCheck(BUILD, vm.work, vm.disk)
    old, new = checker.versions["1"], checker.versions["2"]

    step("each disk that a power cut could have left")
    with memory(vm.work / "memory") as folder:
        base = folder / "base.img"
        copy(vm.guest / "disk.img", base)
        kept, taken = replay(vm, checker, base, begin, old)
        run("cmp", base, end)  # the log is the whole story
    check(taken[0] == old and taken[-1] == new, f"the loader takes {taken[0]} first and {taken[-1]} last")

    vm.log = None
    mended = 0
    for where, disk in kept.items():
        step(f"a boot from: {where}")
        mended += boot(vm, disk)
    check(mended, "no rename on the ESP was seen at half")


main(scenario)
