#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fallback.py GUEST WORK: a version whose image is gone cannot boot; nobody is there, and the machine comes back with the
old one and says why. It has one try (boot.tries), which saves a boot; lost_state.py and health.py have two."""
from vm import check, equal, main, step


def scenario(vm):
    vm.start()
    step("version 3 is armed, and its image gets lost")
    vm.mount_images()
    vm.run("mkdir -p /etc/cfsupdated/cfsupdated.toml.d && printf '[boot]\\ntries = 1\\n' > "
           "/etc/cfsupdated/cfsupdated.toml.d/tries.toml && systemctl restart cfsupdated.service")
    vm.run("cfsctl update --image oci:/run/images/srv/images:v3", seconds=600)
    lost = vm.status()["staged"]
    vm.run(f"rm /sysroot/composefs/images/{lost['digest']}; sync")

    step("one try, then version 1 again, without a shell on the way")
    vm.reboot(seconds=1200)
    # On a slow machine the daemon is asked before it has put in order what it found.
    vm.run("systemctl is-system-running --wait || true", seconds=300)
    found = vm.status()
    equal(found["booted"]["version"], "1", "what runs")
    check(found["fallback"], found)
    check(f"the image {lost['digest'][:12]}" in found["fallen_back_from"]["reason"], found["fallen_back_from"])
    check(f"the boot of '{lost['uki'].split('+')[0]}" in found["last_error"]["message"], found["last_error"])
    check(f"the image {lost['digest'][:12]}" in found["last_error"]["message"], found["last_error"])
    console = vm.console()
    equal(console.count("starts again in 10 s"), 1, "failures on the console")
    check("emergency" not in console.lower(), "there was a shell")
    vm.power_off()


main(scenario)
