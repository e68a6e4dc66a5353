#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""health.py GUEST WORK: version 2 panics at its first try and fails a required check at its second; nobody is there, and
the machine is back in version 1, says why, and does not try version 2 again."""
from vm import check, equal, main, step

# Nothing of the images: the machine's own /etc comes along with an update, as an administrator's check does.
CHECK = r"""#!/bin/sh
. /usr/lib/os-release
[ "$IMAGE_VERSION" = 1 ] && exit 0
if [ ! -e /var/lib/cfsvm-panicked ]; then
  touch /var/lib/cfsvm-panicked && sync
  echo c > /proc/sysrq-trigger
fi
echo "the database does not start"
exit 1
"""
FELL_BACK = "2ef2911d6ed94783934823b359e1a4c1"


def scenario(vm):
    vm.start()
    step("a first installation passes its checks and is proven, without a counter")
    vm.run("systemctl is-system-running --wait", seconds=300)
    vm.run("systemctl is-active boot-complete.target cfsupdated-boot-check.service cfsupdated-mark-good.service")
    vm.run("! systemctl is-active cfsupdated-boot-deadline.service")
    first = vm.status()
    check(first["booted"]["proven"] and not first["fallback"], first)

    step("version 2 is armed, with a check that it cannot pass")
    vm.run(f"mkdir -p /etc/cfsupdated/health/required.d && cd /etc/cfsupdated/health/required.d && "
           f"cat > database.sh <<'EOF'\n{CHECK}EOF\nchmod 755 database.sh")
    vm.run("echo 'image = \"oci:/run/images/srv/images:v2\"' > /etc/cfsupdated/cfsupdated.toml; "
           "systemctl restart cfsupdated.service")
    vm.mount_images()
    vm.run("cfsctl update", seconds=600)
    tried = vm.status()["staged"]

    step("a panic, a failed check, and version 1 again")
    vm.reboot(seconds=1200, version="1")
    console = vm.console()
    check("sysrq triggered crash" in console.lower(), "the first try did not panic")
    vm.run("systemctl is-system-running --wait", seconds=300)
    found = vm.status()
    equal(found["booted"]["version"], "1", "what runs")
    check(found["fallback"], found)
    equal(found["fallen_back_from"]["digest"], tried["digest"], "what failed")
    check("'database.sh' ended with 1: the database does not start" in found["fallen_back_from"]["reason"], found)
    equal([each["state"] for each in found["deployments"]], ["failed", "booted"], "states")
    text = " ".join(vm.run("cfsctl status").split())
    check("did not come up and is held" in text and "the database does not start" in text, text)
    equal(len(vm.run(f"journalctl -o cat MESSAGE_ID={FELL_BACK}").splitlines()), 1, "events")

    step("version 2 is not tried again")
    vm.mount_images()
    text = vm.run("cfsctl update; test $? = 2", seconds=600)
    check("is held (failed)" in text, text)
    check(not vm.status()["reboot_pending"], "another boot is pending")
    vm.power_off()


main(scenario)
