#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""write_log.py GUEST WORK: all that a machine writes while it updates itself and restarts is recorded. The disk at each
flush, and at cuts between them of whose last writes some are lost, could be mounted and booted; a few are."""
import contextlib
import pathlib
import random
import shutil
import sys

from disk_check import DiskCheck, run
from disk_log import FLUSH, Replay
from orderly import in_order
from vm import Failure, check, main, step

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


def look(checker, disk, always, where, chosen):
    try:
        chosen.append(checker(disk, always))
    except Failure as failure:
        raise Failure(f"{where}: {failure}") from None


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


def replay(vm, checker, disk, begin, always):
    """\\returns the disks to boot from, and the images that the loader takes, in order"""
    log, state, cuts = Replay(disk, vm.log), disk.with_name("state.img"), random.Random(SEED)
    first = next(i for i, entry in enumerate(log.entries) if entry.at > begin)
    flushes = [i for i, entry in enumerate(log.entries) if entry.flags & FLUSH and i >= first]
    stops = [(i, False) for i in flushes]
    stops += [(cuts.randrange(flushes[0] + 1, len(log.entries)), True) for _ in range(CUTS)]
    boots, kept, taken = set(cuts.sample(range(len(stops)), BOOTS)), [], []
    for number, (stop, loses) in enumerate(sorted(stops)):
        log.go_to(max(i for i in flushes if i < stop) if loses else stop)
        copy(disk, state)
        if loses:
            log.lose(stop, state, cuts)
        if number in boots:
            kept.append(vm.work / f"boot-{number}.img")
            copy(state, kept[-1])
        look(checker, state, always, f"{'cut' if loses else 'flush'} at write {stop} of {len(log.entries)}", taken)
        if number % 50 == 0:
            print(f"   {number} of {len(stops)} disks", flush=True)
    log.go_to(len(log.entries))
    print(f"   {len(flushes)} flushes and {CUTS} cuts in {len(log.entries) - first} writes: all could be booted", flush=True)
    return kept, taken


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

    step("some of them are booted")
    vm.log = None
    for disk in kept:
        disk.rename(vm.disk)
        shutil.copy(vm.guest / "vars.fd", vm.vars)
        vm.start()
        in_order(vm, "1", "2")
        vm.power_off()


main(scenario)
