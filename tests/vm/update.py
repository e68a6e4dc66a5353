#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""update.py GUEST WORK: version 1 boots under Secure Boot, is updated to 2, keeps what is the machine's own, and a bit
that flips on the disk is an error and never another content."""
import json

from vm import check, equal, main, step

SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def status(vm):
    return json.loads(vm.run("cfsctl status --json"))


def check_root(vm, version):
    """What runs is that version, its root measured by the kernel and checked at every read."""
    check(f"IMAGE_VERSION={version}" in vm.run("cat /etc/os-release /usr/lib/os-release"), f"not version {version}")
    root = vm.run("findmnt -no FSTYPE,OPTIONS /")
    check(root.startswith("overlay") and "verity=require" in root, f"the root is {root}")
    record = json.loads(vm.run("cat /run/cfsupdated/booted.json"))
    check(record["measured"] and record["verity"] == "require", f"the initrd's record: {record}")
    check(record["digest"] in vm.run("cat /proc/cmdline"), "the record is of another image")
    for name in "etc", "var":
        flags = vm.run(f"findmnt -no OPTIONS /{name}").strip().split(",")
        check({"rw", "nosuid", "nodev"} <= set(flags), f"/{name}: {flags}")
    vm.run("! touch /usr/x 2> /dev/null")
    found = status(vm)
    equal(found["booted"]["digest"], record["digest"], "cfsctl's booted digest")
    equal(found["booted"]["version"], str(version), "cfsctl's booted version")
    check(not found["fallback"], f"a fallback: {found['fallen_back_from']}")
    equal(vm.run("systemctl --failed --plain --no-legend"), "", "failed units")
    return found


def scenario(vm):
    step("version 1 under Secure Boot")
    vm.start()
    equal(vm.run(f"od -An -tu1 -j4 {SECURE_BOOT}").split(), ["1"], "Secure Boot")
    first = check_root(vm, 1)

    step("a machine of its own")
    vm.run("echo mine > /etc/cfsvm.conf; echo host7 > /etc/hostname; echo kept > /var/lib/mine; sync")

    step("update to version 2")
    vm.run("mkdir -p /run/images && mount -o ro /dev/vdb /run/images")
    print(vm.run("cfsctl update --image oci:/run/images/srv/images:v2 2>&1", seconds=600))
    check(status(vm)["reboot_pending"], "no reboot is pending")
    vm.reboot()

    step("version 2 runs, with what was the machine's own; version 1 is kept")
    second = check_root(vm, 2)
    equal(vm.run("cat /etc/cfsvm.conf /etc/hostname /var/lib/mine").split(), ["mine", "host7", "kept"], "own files")
    equal(vm.run("cat /etc/cfsvm-untouched.conf"), "vendor's other file of 2", "the vendor's change")
    equal(vm.run("cat /etc/cfsvm.d/new-in-2.conf"), "shipped since 2", "the vendor's new file")
    equal(second["rollback"]["digest"], first["booted"]["digest"], "the way back")
    check(second["last_error"] is None, f"an error: {second['last_error']}")
    vm.run("systemctl is-system-running --wait", seconds=120)
    names = vm.run("ls /efi/EFI/Linux").split()
    equal(len(names), 2, f"entries: {names}")
    check(not any("+" in name for name in names), f"the new entry is not blessed: {names}")
    # The daemon was there before: it is told.
    vm.run("for i in $(seq 30); do cfsctl status | grep -q '^Booted.*on trial' || exit 0; sleep 1; done; exit 1")
    check(status(vm)["booted"]["proven"], "version 2 is not proven")
    vm.run("cat /usr/share/cfsvm/data > /dev/null")
    vm.power_off()

    step("one bit of a file's object flips")
    vm.flip_bit(b"content 3210 of version 2\n")
    vm.start()
    check("Input/output error" in vm.run("cat /usr/share/cfsvm/data", status=None), "the changed file was read")
    check_root(vm, 2)
    vm.power_off()


main(scenario)
