#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""update.py GUEST WORK: version 1 boots under Secure Boot, the timer brings 2 from a registry, what is the machine's own
stays, systemd's own tools agree about the loader, and a bit that flips on the disk is an error and never another content."""
import json
import re

from vm import check, equal, main, step

SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


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
    found = vm.status()
    equal(found["booted"]["digest"], record["digest"], "cfsctl's booted digest")
    equal(found["booted"]["version"], str(version), "cfsctl's booted version")
    check(not found["fallback"], f"a fallback: {found['fallen_back_from']}")
    equal(vm.run("systemctl --failed --plain --no-legend"), "", "failed units")
    return found


def check_loader(vm, blessing):
    """What bootctl and systemd-bless-boot say, against what the daemon says."""
    found = vm.status()
    listed = [json.loads(line) for line in vm.run("bootctl list --json=short").splitlines()]
    entries = [each["id"] for each in listed if each["path"].startswith("/efi/EFI/Linux/")]
    equal(sorted(entries), sorted(each["uki"] for each in found["deployments"]), "bootctl's entries")
    text = vm.run("bootctl status 2> /dev/null")
    for words in r"Secure Boot: enabled", r"Product: systemd-boot 25", r"ESP: /efi ":
        check(re.search(words, text), f"bootctl status does not say '{words}': {text}")
    chosen = re.findall(r"Default Boot Loader Entry:.*?\bid: (\S+)", text, re.S)
    equal(chosen, [each["uki"] for each in found["deployments"] if each["next"]], "bootctl's default entry")
    equal(vm.run("/lib/systemd/systemd-bless-boot status").strip(), blessing, "systemd-bless-boot")
    check(found["booted"]["proven"], "bless-boot is content, the daemon is not")


def show_boot_time(vm):
    """Nobody waits for this project's parts on the way to a login; before it there is cfs-prepare-root, in the initrd."""
    print(vm.run("systemd-analyze time; systemd-analyze blame | grep cfsupdated; "
                 "journalctl -b -o short-monotonic --no-hostname | grep cfs-prepare-root || true"))
    chain = vm.run("systemd-analyze critical-chain default.target multi-user.target")
    check("multi-user.target" in chain, f"no chain: {chain}")
    # The mount of its credentials counts as one of local-fs.target, whenever somebody asks the daemon for something.
    names = set(re.findall(r"[\w@.\\-]+\.(?:service|mount|target|socket)", chain))
    ours = {name for name in names if "cfsupdated" in name and not name.startswith("run-credentials-")}
    check(not ours, f"ours are on the way: {chain}")


def check_own_mount(vm):
    """The daemon found the ESP by the loader's word and works in a mount that nobody else has."""
    text = vm.run("journalctl -b -o cat -u cfsupdated.service")
    check("the ESP is /dev/vda1, by LoaderDevicePartUUID" in text, f"where is the ESP? {text}")
    vm.run("! grep ' - vfat ' /proc/1/mountinfo /proc/$(systemctl show -P MainPID cfsupdated.service)/mountinfo")
    equal(vm.run("ls /efi"), "", "/efi, where nothing is mounted")


def update_by_timer(vm):
    """The administrator's settings, and the timer with a time of its own; the registry is Debian's, in the guest."""
    vm.mount_images()
    # From here on nobody but the daemon has the ESP.
    vm.run("systemctl stop cfsupdated.service && umount /efi")
    vm.run("systemd-run --unit registry /run/images/srv/registry/docker-registry serve /run/images/srv/registry/config.yml")
    vm.run("for i in $(seq 150); do (: < /dev/tcp/127.0.0.1/5000) 2> /dev/null && exit 0; sleep 0.2; done; exit 1")
    # The guest has no authorities for TLS, and the registry has no TLS.
    vm.run("printf 'image = \"docker://localhost:5000/cfsvm:v2\"\\n[net]\\nca_file = \"%s\"\\n' "
           "/usr/lib/cfsupdated/trust.d/vendor.crt > /etc/cfsupdated/cfsupdated.toml")
    vm.run("mkdir -p /run/systemd/system/cfsupdated-update.timer.d; systemctl try-restart cfsupdated.service; "
           "printf '[Timer]\\nOnBootSec=\\nOnActiveSec=3\\nRandomizedDelaySec=0\\n' "
           "> /run/systemd/system/cfsupdated-update.timer.d/soon.conf; systemctl daemon-reload")
    check(not vm.status()["reboot_pending"], "a reboot is pending already")
    vm.run("systemctl start cfsupdated-update.timer")
    vm.run("for i in $(seq 550); do cfsctl status --json | grep -q '\"reboot_pending\":true' && exit 0; "
           "systemctl is-failed -q cfsupdated-update.service && break; sleep 1; done; "
           "systemctl status cfsupdated-update.service; exit 1", seconds=620)
    print(vm.run("journalctl -o cat -u cfsupdated-update.service | tail -n 4"))
    staged = vm.status()["staged"]
    equal([staged["version"], staged["image"]], ["2", "docker://localhost:5000/cfsvm:v2"], "what the timer brought")
    check_own_mount(vm)


def scenario(vm):
    step("version 1 under Secure Boot")
    vm.start()
    equal(vm.run(f"od -An -tu1 -j4 {SECURE_BOOT}").split(), ["1"], "Secure Boot")
    first = check_root(vm, 1)

    step("a machine of its own")
    vm.run("echo mine > /etc/cfsvm.conf; echo host7 > /etc/hostname; echo kept > /var/lib/mine; sync")

    step("the timer brings version 2 from a registry")
    vm.run("systemctl is-system-running --wait", seconds=300)
    check_loader(vm, "clean")
    show_boot_time(vm)
    update_by_timer(vm)
    vm.run("echo late > /etc/cfsvm-late.conf")
    vm.reboot()

    step("version 2 runs, with what was the machine's own; version 1 is kept")
    second = check_root(vm, 2)
    equal(vm.run("cat /etc/cfsvm.conf /etc/hostname /var/lib/mine").split(), ["mine", "host7", "kept"], "own files")
    equal(vm.run("cat /etc/cfsvm-late.conf").strip(), "late", "what was written after the update")
    equal(vm.run("cat /etc/cfsvm-untouched.conf"), "vendor's other file of 2", "the vendor's change")
    equal(vm.run("cat /etc/cfsvm.d/new-in-2.conf"), "shipped since 2", "the vendor's new file")
    equal(second["rollback"]["digest"], first["booted"]["digest"], "the way back")
    check(second["last_error"] is None, f"an error: {second['last_error']}")
    vm.run("systemctl is-system-running --wait", seconds=120)
    names = vm.run("ls /efi/EFI/Linux").split()
    equal(len(names), 2, f"entries: {names}")
    check(not any("+" in name for name in names), f"the new entry is not blessed: {names}")
    vm.wait_until_proven()
    check_loader(vm, "good")
    # It was mounted by fstab this time.
    vm.run("journalctl -b -o cat -u cfsupdated.service | grep 'the ESP is /dev/vda1, by LoaderDevicePartUUID'")
    show_boot_time(vm)
    vm.run("cat /usr/share/cfsvm/data > /dev/null")
    vm.power_off()

    step("one bit of a file's object flips")
    vm.flip_bit(b"content 3210 of version 2\n")
    vm.start()
    check("Input/output error" in vm.run("cat /usr/share/cfsvm/data", status=None), "the changed file was read")
    check_root(vm, 2)
    vm.power_off()


main(scenario)
