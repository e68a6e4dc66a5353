#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""power_cut.py GUEST WORK PART: the power goes at points of an update; the machine always boots, the old version or the
new one, and puts in order what was left. Parts: "stage", up to what finalize needs, and "switch": finalize, proof and
collecting.

A verb is killed at its crash point, and when the point's name arrives here, QEMU is. What the guest's kernel had in
memory alone is lost; the disk keeps what was flushed and whatever else was written."""
import sys

from orderly import in_order
from vm import equal, main, step

PORT = "/dev/virtio-ports/cfsvm-cuts"
STAGING = ("store.object-linked", "update.recorded", "update.pinned", "update.state-made", "esp.copied", "update.staged")
SWITCHING = ("update.etc-exchanged", "update.before-arm", "esp.armed")
# A boot's checks wait for the scenario, which then says what else is to happen.
CHECK = "#!/bin/sh\\nfor i in $(seq 250); do [ -e /run/cfsvm-go ] && exit 0; sleep 0.2; done; echo nobody said go; exit 1\\n"
# Until the next boot the daemon's unit may write there, too.
MAY_TELL = ("mkdir -p /run/systemd/system/cfsupdated.service.d && "
            f"printf '[Service]\\nDeviceAllow={PORT} rw\\n' > /run/systemd/system/cfsupdated.service.d/port.conf && "
            "systemctl daemon-reload")
UPDATE = "cfsctl update --image oci:/run/images/srv/images:{}"


def cut_in(vm, point, verb):
    """The daemon starts anew with that point, and the verb reaches it."""
    step(f"power cut at {point}")
    vm.mount_images()
    vm.run(MAY_TELL)
    vm.run(f"systemctl set-environment CFS_CRASH_POINT={point} CFS_CRASH_TRACE={PORT}; systemctl stop cfsupdated.service")
    vm.cut_power_at(point, verb)
    vm.start()


def cut_when(vm, what, condition):
    """At a moment that has no crash point, because it is not the daemon's."""
    step(f"power cut when {what}")
    vm.cut_power_at("now", f"until {condition}; do :; done; echo now > {PORT}; sleep 600")
    vm.start()


def stage(vm):
    for point in STAGING:
        cut_in(vm, point, UPDATE.format("v2"))
        in_order(vm, "1")
    step("nothing stands in the way of the update")
    vm.update("v2")
    vm.reboot(version="2")
    in_order(vm, "2")


def switch(vm):
    vm.run("mkdir -p /etc/cfsupdated/health/required.d && cd /etc/cfsupdated/health/required.d && "
           f"printf '{CHECK}' > wait.sh && chmod 755 wait.sh && echo mine > /etc/cfsvm.conf && sync")
    for point in SWITCHING:
        cut_in(vm, point, UPDATE.format("v2"))
        if point != SWITCHING[-1]:
            in_order(vm, "1")
            equal(vm.run("cat /etc/cfsvm.conf").strip(), "mine", "/etc")

    # It is armed, and has two tries: the third boot is one of a version without a counter.
    record = "/sysroot/state/cfsupdated/deployments/cfsvm_2-*.json"
    cut_when(vm, "the entry is blessed", "touch /run/cfsvm-go; ls /efi/EFI/Linux/cfsvm_2-*.efi | grep -vq '+'")
    cut_when(vm, "the version is proven", f"touch /run/cfsvm-go; grep -q '\"proven\": *true' {record}")
    in_order(vm, "2")
    equal(vm.run("cat /etc/cfsvm.conf").strip(), "mine", "/etc")

    step("version 3, and a version that nothing needs")
    vm.update("v3")
    vm.reboot(version="3")
    equal(len(in_order(vm, "3")["deployments"]), 3, "deployments")
    for point in "esp.removed", "store.gc-links-pruned", "store.gc-objects-removed":
        cut_in(vm, point, "cfsctl gc")
        found = in_order(vm, "3")
        equal([each["version"] for each in found["deployments"]], ["3", "2"], "deployments")
    vm.run("cfsctl gc", seconds=600)
    vm.run("cfsctl verify --full booted", seconds=600)


def scenario(vm):
    vm.cache = "writeback"
    vm.start()
    {"stage": stage, "switch": switch}[sys.argv[3]](vm)
    vm.power_off()


main(scenario)
