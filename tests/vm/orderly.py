# SPDX-License-Identifier: Apache-2.0
"""A machine in which nothing is half there."""
from vm import check, equal


def in_order(vm, *versions):
    """One of these runs, well; nothing is half there."""
    vm.run("touch /run/cfsvm-go")
    vm.wait_until_proven()
    found = vm.status()
    check(found["booted"]["version"] in versions, f"what runs: {found['booted']}")
    equal(found["booted"]["version"], vm.run(". /usr/lib/os-release; echo $IMAGE_VERSION").strip(), "the running version")
    check(not found["fallback"] and not found["warnings"], found)
    check(not any(each["problem"] for each in found["deployments"]), found)
    equal(vm.run("ls -A /sysroot/state/cfsupdated/work"), "", "unfinished trees")
    listed = [name for name in vm.run("ls /efi/EFI/Linux").split() if name.endswith(".efi")]
    known = [each["uki"] for each in found["deployments"]]
    check(set(listed) <= set(known), f"entries {listed} of deployments {known}")
    vm.run("cfsctl verify", seconds=600)
    print("  ", [(each["version"], each["state"], each["uki"]) for each in found["deployments"]], flush=True)
    return found
