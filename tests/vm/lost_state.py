#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lost_state.py GUEST WORK: a version without its state directory has no /etc: it does not boot, nobody is there, and the
machine comes back with the old version and says why."""
from vm import check, equal, main, step


def scenario(vm):
    vm.start()
    step("version 2 is armed, and its state directory gets lost")
    vm.update("v2")
    lost = vm.status()["staged"]
    vm.run(f"rm -r /sysroot/state/deploy/{lost['digest']}; sync")

    step("two tries, then version 1 again, without a shell on the way")
    vm.reboot(seconds=1200, version="1")
    found = vm.status()
    equal(found["booted"]["version"], "1", "what runs")
    check(found["fallback"], found)
    equal(found["fallen_back_from"]["digest"], lost["digest"], "what failed")
    check("the deployment's state" in found["fallen_back_from"]["reason"], found["fallen_back_from"])
    console = vm.console()
    equal(console.count("starts again in 10 s"), 2, "failures on the console")
    check("emergency" not in console.lower(), "there was a shell")

    step("it is not tried again by itself")
    vm.run("echo 'image = \"oci:/run/images/srv/images:v2\"' > /etc/cfsupdated/cfsupdated.toml; "
           "systemctl restart cfsupdated.service")
    vm.mount_images()
    text = vm.run("cfsctl update; test $? = 2", seconds=600)
    check("is held (failed)" in text, text)
    vm.power_off()


main(scenario)
