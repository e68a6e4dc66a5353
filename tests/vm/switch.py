#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""switch.py GUEST WORK: what the loader would not start by its order, a lower version. Started once by an EFI variable: one
that fails its health check leaves the higher one as it was; one that is proven comes first from then on, and a rollback
goes back."""
from vm import check, equal, main, step

ONE_SHOT = "/sys/firmware/efi/efivars/LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
LOWER = "oci:/run/images/srv/images:v1"
CHECK = r"""#!/bin/sh
. /usr/lib/os-release
[ "$IMAGE_VERSION" = 2 ] && exit 0
echo "nobody wants version 1"
exit 1
"""


def entries(vm):
    return sorted(vm.run("ls /efi/EFI/Linux").split())


def is_tried(vm, file):
    """The variable is there, in the firmware's form, and names that entry alone."""
    raw = bytes(int(byte) for byte in vm.run(f"od -v -An -tu1 {ONE_SHOT}").split())
    equal(raw[:4], b"\7\0\0\0", "the variable's attributes")
    text = raw[4:].decode("utf-16-le")
    equal(text, file[:file.index("+")] + "*.efi\0", "the loader's order for the next boot")
    check("i" in vm.run(f"lsattr {ONE_SHOT}").split()[0], "efivarfs does not protect it: nothing is shown here")


def to_second(vm):
    step("version 2 runs")
    vm.update("v2")
    vm.reboot(version="2")
    vm.wait_until_proven()


def failing_trial(vm):
    step("a switch to version 1, which does not pass its checks")
    vm.run("mkdir -p /etc/cfsupdated/health/required.d && cd /etc/cfsupdated/health/required.d && "
           f"cat > wanted.sh <<'EOF'\n{CHECK}EOF\nchmod 755 wanted.sh")
    before = entries(vm)
    vm.mount_images()
    vm.run(f"cfsctl switch {LOWER}", seconds=600)
    staged = vm.status()["staged"]
    check(staged["trial"] and staged["next"], f"it is not what is tried next: {staged}")
    check(set(before) < set(entries(vm)), "an entry of before has another name")
    is_tried(vm, staged["uki"])
    vm.reboot(seconds=1200, version="2")
    found = vm.status()
    check(found["fallback"], found)
    equal(found["fallen_back_from"]["digest"], staged["digest"], "what failed")
    check("'wanted.sh' ended with 1: nobody wants version 1" in found["fallen_back_from"]["reason"], found)
    check(found["booted"]["proven"] and found["booted"]["next"], f"version 2 is not what it was: {found}")
    check(found["image"] != LOWER, f"updates come from {found['image']}")
    vm.run(f"test ! -e {ONE_SHOT}")
    check(set(before) < set(entries(vm)), "an entry of before has another name")


def good_trial(vm):
    step("version 1 on purpose, and it is good")
    vm.run("rm /etc/cfsupdated/health/required.d/wanted.sh")
    second = vm.status()["booted"]["uki"]
    vm.mount_images()
    vm.run(f"cfsctl update --image {LOWER} --downgrade", seconds=600)
    is_tried(vm, vm.status()["staged"]["uki"])
    vm.reboot(version="1")
    vm.wait_until_proven()
    found = vm.status()
    check(found["booted"]["next"] and not found["booted"]["trial"], f"it does not come first: {found}")
    equal(found["rollback"]["version"], "2", "the way back")
    check(second not in entries(vm) and second.replace(".efi", "+0-1.efi") in entries(vm), f"{second}: {entries(vm)}")
    chosen = vm.run("bootctl status 2> /dev/null | sed -n '/Default Boot Loader Entry/,$s/.*id: //p'").strip()
    equal(chosen, found["booted"]["uki"], "bootctl's default entry")
    step("and again, by its order")
    vm.run(f"test ! -e {ONE_SHOT}")
    vm.reboot(version="1")


def way_back(vm):
    step("back to version 2")
    vm.run("cfsctl rollback")
    vm.reboot(version="2")
    vm.wait_until_proven()
    check(not vm.status()["fallback"], "a rollback by hand is no failure")
    equal(vm.run("systemctl --failed --plain --no-legend"), "", "failed units")


def scenario(vm):
    vm.start()
    to_second(vm)
    failing_trial(vm)
    good_trial(vm)
    way_back(vm)
    vm.power_off()


main(scenario)
