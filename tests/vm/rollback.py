#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rollback.py GUEST WORK: from version 2 back to 1 by hand and forward again, each with its /etc as it was left. Then
damage in the store, with the kernel's fs-verity: an error and never another content, found, and repaired; and an initrd
that does not mount an image under another's name."""
from vm import check, equal, main, step

DATA, MORE = "/usr/share/cfsvm/data", "/usr/share/cfsvm/more"
# One bit of one block on the disk, behind the file system's back; the file system itself refuses to change the file.
FLIP = r"""set -e
device=$(findmnt -no SOURCE /sysroot)
block=$(filefrag -v -b4096 "$OBJECT" | awk '$1 == "0:" { sub(/\.\..*/, "", $4); print $4 }')
test "$block" -gt 0
dd if="$device" of=/run/block bs=4096 skip="$block" count=1 iflag=direct status=none
cmp -s -n 4096 /run/block "$OBJECT"
byte=$(od -An -tu1 -j100 -N1 /run/block)
printf "\\$(printf %03o $((byte ^ 1)))" | dd of=/run/block bs=1 seek=100 conv=notrunc status=none
dd if=/run/block of="$device" bs=4096 seek="$block" oflag=direct conv=notrunc status=none
"""
DROP_CACHES = "sync; echo 3 > /proc/sys/vm/drop_caches; "


def object_of(vm, path):
    """The store's file behind a file of the running root: the only one with its size."""
    found = vm.run(f"find /sysroot/composefs/objects -type f -size $(stat -c %s {path})c "
                   f"-exec cmp -s {path} {{}} \\; -print")
    equal(len(found.split()), 1, f"objects of {path}")
    return found.strip()


def note(vm, text):
    vm.run(f"echo {text} > /etc/cfsvm-slot.conf; chmod 640 /etc/cfsvm-slot.conf; sync")


def etc_of(vm):
    return vm.run("stat -c %a /etc/cfsvm-slot.conf; cat /etc/cfsvm-slot.conf /etc/cfsvm-untouched.conf; "
                  "ls /etc/cfsvm.d 2> /dev/null || true").splitlines()


def back_and_forth(vm):
    step("version 2, and changes in each version's /etc")
    note(vm, "left in 1")
    one, two = etc_of(vm), ["640", "left in 2", "vendor's other file of 2", "new-in-2.conf"]
    vm.update("v2")
    vm.reboot(version="2")
    vm.wait_until_proven()
    equal(etc_of(vm)[1], "left in 1", "what the update brought along")
    note(vm, "left in 2")
    vm.run("echo both > /var/lib/cfsvm.var")

    step("back to version 1")
    left = vm.status()["booted"]
    vm.run("cfsctl rollback")
    check(vm.status()["reboot_pending"], "no reboot is pending")
    vm.reboot(version="1")
    equal(etc_of(vm), one, "/etc of version 1")
    equal(vm.run("cat /var/lib/cfsvm.var").strip(), "both", "/var")
    vm.wait_until_proven()
    found = vm.status()
    check(not found["fallback"] and found["last_error"] is None, f"a rollback by hand is no failure: {found}")
    note(vm, "left in 1 again")

    step("forward to version 2 again, with its /etc as it was left")
    vm.run("cfsctl rollback")
    vm.reboot(version="2")
    equal(etc_of(vm), two, "/etc of version 2")
    vm.wait_until_proven()
    found = vm.status()
    equal(found["booted"]["digest"], left["digest"], "what runs")
    equal(found["rollback"]["version"], "1", "the way back")
    check(not found["fallback"], found)
    other = f"/sysroot/state/deploy/{found['rollback']['digest']}/etc/cfsvm-slot.conf"
    equal(vm.run(f"cat {other}").strip(), "left in 1 again", "version 1's /etc meanwhile")


def damage(vm):
    step("one bit of an object flips, another object is gone")
    wanted = vm.run(f"sha256sum {DATA} {MORE}")
    flipped, gone = object_of(vm, DATA), object_of(vm, MORE)
    vm.run(f"OBJECT={flipped}\n{FLIP}")
    vm.run(f"rm -f {gone}")
    vm.mount_images()
    vm.run(DROP_CACHES)
    text = vm.run(f"cat {DATA} | sha256sum; cat {DATA} > /dev/null", status=None)
    check("Input/output error" in text, f"the changed file was read: {text}")
    text = vm.run(f"cat {MORE} > /dev/null", status=None)
    check("Input/output error" in text or "No such file" in text, f"the lost file was read: {text}")

    step("verify finds it, repair mends it")
    text = vm.run("cfsctl verify 2; test $? = 1", seconds=600)
    check(gone[-20:] in text.replace("/", ""), f"verify does not name {gone}: {text}")
    text = vm.run("cfsctl verify --full 2; test $? = 1", seconds=600)
    for path in flipped, gone:
        check(path[-20:] in text, f"verify --full does not name {path}: {text}")
    print(vm.run("cfsctl repair 2 2>&1", seconds=600))
    vm.run("cfsctl verify", seconds=600)
    equal(vm.run(f"{DROP_CACHES} sha256sum {DATA} {MORE}"), wanted, "what was repaired")
    equal(vm.run(f"lsattr {flipped} {gone} | cut -d' ' -f1 | grep -c V").strip(), "2", "objects with fs-verity")


def mount_by_hand(vm, status):
    return vm.run("mkdir -p /run/hand /run/hand.run && /usr/lib/cfsupdated/cfs-prepare-root --target /run/hand "
                  "--run /run/hand.run --volatile-root /run/hand.volatile && umount -R /run/hand", status=status)


def wrong_image(vm):
    step("another image under the booted one's name is not mounted")
    found = vm.status()
    name, other = (f"/sysroot/composefs/images/{found[each]['digest']}" for each in ("booted", "rollback"))
    mount_by_hand(vm, 0)
    vm.run(f"mv {name} {name}.kept && ln -s $(readlink {other}) {name}")
    text = mount_by_hand(vm, None)
    vm.run(f"rm {name} && mv {name}.kept {name}; rm -f /sysroot/state/cfsupdated/last-error.json")
    check(f"it measures {found['rollback']['digest']}" in text, f"another reason: {text}")
    mount_by_hand(vm, 0)


def scenario(vm):
    vm.start()
    back_and_forth(vm)
    damage(vm)
    wrong_image(vm)
    equal(vm.run("systemctl --failed --plain --no-legend"), "", "failed units")
    vm.power_off()


main(scenario)
