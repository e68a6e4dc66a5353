#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""soft_reboot.py GUEST WORK: with systemd 254, a version of another initrd needs the firmware, and one that shares kernel,
initrd and command line is reached by a soft reboot: the kernel goes on, the root is the new image's, /etc is merged as
it was last, and nothing is proven by it. One that then fails a check is started by the firmware, given up, and the old
version is back by itself; the next one is good, and proven when the firmware has started it."""
from vm import check, equal, main, step

KERNEL = "cat /proc/sys/kernel/random/boot_id"
ROOT = "findmnt -n -o SOURCE,OPTIONS /"
CHECK = "/etc/cfsupdated/health/required.d/10-version.sh"
# Behind a soft reboot it leaves the test time to look.
FAILS = """#!/bin/sh
. /usr/lib/os-release
[ $IMAGE_VERSION != 3 ] || { ! ls /run/cfsupdated/soft/*/booted.json || sleep 40; exit 1; }
"""


def stage(vm, tag):
    vm.mount_images()
    vm.run("systemctl is-system-running --wait || true", seconds=300)
    return vm.run(f"cfsctl stage --image oci:/run/images/srv/images:{tag} 2>&1", seconds=600)


def another_initrd(vm):
    step("a version with another initrd needs the firmware")
    stage(vm, "v2")
    found = vm.status()
    equal(found["staged"]["version"], "2", "what is staged")
    check("kernel, initrd" in found["soft_reboot_problem"], found["soft_reboot_problem"])
    text = vm.run("cfsctl soft-reboot 2>&1", status=None)
    check("its kernel, initrd" in text and "systemctl reboot" in text, text)
    vm.run("cfsctl rollback")


def softly(vm, version):
    """To what is staged, by a soft reboot. The kernel is the same before and after."""
    equal(vm.status()["soft_reboot_problem"], "", "what is in the way")
    kernel = vm.run(KERNEL)
    vm.send("cfsctl soft-reboot")
    vm.wait_for_boot(version=version)
    equal(vm.run(KERNEL), kernel, "the kernel's boot")
    found = vm.status()
    equal(found["booted"]["version"], version, "what runs")
    root = vm.run(ROOT)
    check(f"composefs:{found['booted']['digest']}" in root and "verity=require" in root, root)
    check(not found["booted"]["proven"] and "+" in found["booted"]["uki"], f"it is proven: {found['booted']}")
    equal(vm.run("stat -f -c %T /sysroot; test -d /sysroot/composefs").split()[0], "ext2/ext3", "the root disk")
    return found


def one_that_fails(vm):
    step("a soft reboot to a version that fails its check: the firmware tries it, and the old one is back")
    stage(vm, "v3")
    vm.run(f"mkdir -p {CHECK.rsplit('/', 1)[0]}; cat > {CHECK} <<'EOF'\n{FAILS}EOF\nchmod +x {CHECK}; "
           "echo late > /etc/cfsvm-late.conf")
    kernel = vm.run(KERNEL)
    softly(vm, "3")
    equal(vm.run("cat /etc/cfsvm-late.conf").strip(), "late", "what was changed after staging")
    vm.wait_for_boot(version="1")
    check(vm.run(KERNEL) != kernel, "the firmware was not there")
    found = vm.status()
    check(found["fallback"] and found["fallen_back_from"]["version"] == "3", found)
    check("10-version.sh" in found["fallen_back_from"]["reason"], found["fallen_back_from"])
    equal(vm.run("cat /etc/cfsvm-late.conf").strip(), "late", "/etc of version 1")
    vm.run(f"rm {CHECK}")


def one_that_is_good(vm):
    step("a soft reboot to a version that is good, and proven by the firmware's next start")
    stage(vm, "v3")
    softly(vm, "3")
    vm.run("systemctl is-system-running --wait", seconds=300)
    text = vm.run("journalctl -b -o cat -u cfsupdated-mark-good.service")
    check("it is proven when the firmware has started it" in text, text)
    found = vm.status()
    check(not found["booted"]["proven"] and found["rollback"]["proven"], found)
    check(not found["warnings"], found["warnings"])
    equal(vm.run("systemctl --failed --plain --no-legend"), "", "failed units")
    kernel = vm.run(KERNEL)
    vm.reboot(version="3")
    check(vm.run(KERNEL) != kernel, "the firmware was not there")
    vm.wait_until_proven()


def plain(vm):
    step("a soft reboot that nobody asked us for restarts what runs")
    kernel = vm.run(KERNEL)
    etc = vm.run("stat -c %d:%i /etc /var; cat /etc/cfsvm-late.conf")
    vm.send("systemctl soft-reboot")
    vm.wait_for_boot(version="3")
    equal(vm.run(KERNEL), kernel, "the kernel's boot")
    equal(vm.run("stat -c %d:%i /etc /var; cat /etc/cfsvm-late.conf"), etc, "/etc and /var")
    vm.run("touch /etc/cfsvm-writable /var/cfsvm-writable; test -d /sysroot/composefs")
    vm.run("systemctl is-system-running --wait", seconds=300)
    found = vm.status()
    check(found["booted"]["proven"] and not found["warnings"], found)


def scenario(vm):
    vm.start()
    vm.wait_until_proven()
    another_initrd(vm)
    one_that_fails(vm)
    one_that_is_good(vm)
    plain(vm)
    vm.power_off()


main(scenario)
