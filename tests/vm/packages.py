#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""packages.py GUEST WORK: the Debian packages on a live machine: installed, upgraded, removed and purged while there are
deployments, one of them armed. What is installed on the machine stays what it is, and boots."""
from vm import check, equal, main, step

DEBS = "/run/images/srv/debs"
NAMES = "cfsupdated cfsctl cfsupdated-initrd cfsupdated-sysupdate1"
# A sealed /usr takes no packages: this one is a copy, until the next boot.
WRITABLE = ("cp -a --reflink=never /usr /var/usr && mount --bind /var/usr /usr && "
            "rm -r /usr/lib/systemd/system/cfsupdated* /usr/sbin/cfsupdated /usr/bin/cfsctl && systemctl daemon-reload")


def dpkg(vm, words):
    """The older packages are these under another number; what depends on its own version cannot know."""
    return vm.run(f"DEBIAN_FRONTEND=noninteractive dpkg --force-confold --force-depends-version {words} 2>&1", seconds=600)


def pid(vm):
    return vm.run("systemctl show -P MainPID cfsupdated.service").strip()


def entries(vm):
    return vm.run("cd /efi/EFI/Linux && sha256sum *")


def installed(vm):
    step("the older packages, onto a system that had none")
    vm.run("systemctl is-system-running --wait", seconds=300)
    vm.mount_images()
    before = vm.status()
    vm.run("systemctl stop cfsupdated.service")
    vm.run(WRITABLE, seconds=600)
    vm.run("! command -v cfsctl")
    print(dpkg(vm, f"-i {DEBS}/old/*.deb"))
    equal(vm.run(f"dpkg-query -W -f '${{Version}} ${{db:Status-Status}} ' {NAMES}").split(), ["0.0.1-1", "installed"] * 4, "packages")
    found = vm.status()
    equal([found["booted"], found["deployments"]], [before["booted"], before["deployments"]], "what the machine has")
    vm.run("systemctl is-enabled cfsupdated-boot-check.service cfsupdated-mark-good.service cfsupdated-finalize.service")


def upgraded(vm):
    step("an upgrade while the daemon runs: another process, and what it knew")
    old = pid(vm)
    check(old != "0", "it does not run")
    dpkg(vm, f"-i {DEBS}/new/*.deb")
    check(pid(vm) not in ("0", old), f"process {old} is still there")
    version = vm.run("dpkg-query -W -f '${Version}' cfsupdated")
    check(vm.run("cfsupdated --version").split()[1] + "-1" == version, version)
    equal(vm.run("systemctl --failed --plain --no-legend"), "", "failed units")
    dpkg(vm, f"-V {NAMES} | grep -v '/usr/share/\\(man\\|doc\\)/' | grep . && exit 1 || true")


def removed(vm):
    step("version 2 is armed by it; then it is removed and purged")
    vm.run("cfsctl update --image oci:/run/images/srv/images:v2 2>&1", seconds=600)
    armed = vm.status()["staged"]
    before = entries(vm)
    dpkg(vm, f"-r {NAMES}")
    vm.run("! command -v cfsctl; ! command -v cfsupdated; ! systemctl cat cfsupdated.service")
    vm.run("! find /etc/systemd/system -name 'cfsupdated*' | grep .")
    dpkg(vm, f"-P {NAMES}")
    equal(entries(vm), before, "the entries")
    equal(vm.run("systemctl --failed --plain --no-legend"), "", "failed units")
    return armed


def scenario(vm):
    vm.start()
    installed(vm)
    upgraded(vm)
    armed = removed(vm)
    step("the machine starts version 2, whose image has the daemon in it")
    vm.reboot(version="2")
    vm.run("systemctl is-system-running --wait", seconds=300)
    found = vm.status()
    equal(found["booted"]["digest"], armed["digest"], "what runs")
    check(not found["fallback"], f"a fallback: {found}")
    equal(found["rollback"]["version"], "1", "the way back")
    equal(vm.run("systemctl --failed --plain --no-legend"), "", "failed units")
    vm.power_off()


main(scenario)
