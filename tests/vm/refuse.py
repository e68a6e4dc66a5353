#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""refuse.py GUEST WORK: images that a device must refuse do not change the ESP. An unsigned UKI that somebody put there:
the firmware does not start it and gives up, and the next power-on is the old version's."""
import subprocess

from vm import Failure, check, equal, main, step

INTRUDER = "cfsvm_9-9-99999999"
GIVES_UP = "Press any key"


def esp_of(vm):
    return vm.run("cd /efi && find . -type f -exec sha256sum {} + | sort -k2")


def refused(vm, tag, *words):
    before = esp_of(vm)
    text = " ".join(vm.run(f"cfsctl update --image oci:/run/images/srv/images:{tag} 2>&1", seconds=600, status=None).split())
    print("  ", text[-400:])
    for word in words:
        check(word in text, f"'{word}' is not in: {text}")
    equal(esp_of(vm), before, "files on the ESP")
    found = vm.status()
    check(not found["reboot_pending"] and found["staged"] is None, found)


def copy_unsigned(vm):
    """The running UKI without its signature, as a newer one whose tries are counted."""
    name = next(name for name in vm.esp() if "/cfsvm_1" in name)
    signed, stripped = vm.work / "signed.efi", vm.work / "stripped.efi"
    image = f"{vm.disk}@@1M"
    subprocess.run(["mcopy", "-o", "-i", image, name, signed], check=True)
    subprocess.run(["cp", signed, stripped], check=True)
    subprocess.run(["sbattach", "--remove", stripped], check=True)
    check(stripped.stat().st_size < signed.stat().st_size, "the signature is still there")
    subprocess.run(["mcopy", "-o", "-i", image, stripped, f"::/EFI/Linux/{INTRUDER}+2-0.efi"], check=True)


def scenario(vm):
    vm.start()
    step("right digest, a stranger's key; the vendor's key, another image's digest")
    vm.mount_images()
    refused(vm, "wrong-key", "is not among the 1 trusted certificates")
    refused(vm, "other-uki", "digest")
    vm.run("systemctl is-system-running --wait", seconds=300)
    vm.power_off()

    step("an unsigned UKI on the ESP: the firmware tries it, and gives up")
    copy_unsigned(vm)
    start = len(vm.console())
    vm.power_on()
    try:
        vm.wait_for_console(GIVES_UP, start)
    except Failure:
        check(False, f"no end of the firmware's tries: {vm.console()[start:][-2000:]}")
    vm.cut_power()
    print(*[line for line in vm.console()[start:].splitlines() if "denied" in line.lower() or "rror" in line], sep="\n   ")
    check("Linux version" not in vm.console()[start:], "it was started")
    names = [name for name in vm.esp() if INTRUDER in name]
    equal(names, [f"::/EFI/Linux/{INTRUDER}+0-2.efi"], "its tries")

    step("the next power-on is version 1's")
    vm.start()
    found = vm.status()
    equal(found["booted"]["version"], "1", "what runs")
    check(found["booted"]["proven"], found)
    print(vm.run("cfsctl status"))
    vm.run("systemctl is-system-running --wait", seconds=300)
    vm.power_off()


main(scenario)
