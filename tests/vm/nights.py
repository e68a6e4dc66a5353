#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""nights.py GUEST WORK: a machine that updates itself. The policy is `apply` with a window at night; in two nights of a
clock that the test sets it goes from version 1 to 3, and nobody asks it to. A metered link and a low battery hold it; a
release that has been held for too long is not held any more, except for its restart."""
from vm import Vm, check, equal, main, step

SETTINGS = """image = "docker://localhost:5000/cfsvm:stable"
[net]
ca_file = "/usr/lib/cfsupdated/trust.d/vendor.crt"
[policy]
automatic = "apply"
windows = ["02:00-04:00"]
idle = "never"
max_age = "72h"
battery_least = 40
"""
# The vendor's registry, whose tag `stable` is moved by writing a file, and what the machine is like; both come up with it.
UNITS = {
    "registry.service": """[Unit]
RequiresMountsFor=/var/lib/cfsvm
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/var/lib/cfsvm/registry
[Install]
WantedBy=multi-user.target
""",
    "conditions.service": """[Service]
Type=notify
ExecStart=/usr/lib/cfsvm/fake_conditions /var/lib/cfsvm/conditions
[Install]
WantedBy=multi-user.target
""",
}
REGISTRY = """#!/bin/sh -e
mkdir -p /run/images /run/moved/new /run/moved/work
mount -o ro /dev/vdb /run/images
data=/run/images/srv/registry/data
mount -t overlay -o lowerdir=$data,upperdir=/run/moved/new,workdir=/run/moved/work none $data
/var/lib/cfsvm/release
systemd-run --unit registry-server /run/images/srv/registry/docker-registry serve /run/images/srv/registry/config.yml
"""
RELEASE = """#!/bin/sh -e
tags=/run/images/srv/registry/data/docker/registry/v2/repositories/cfsvm/_manifests/tags
rm -rf $tags/stable
cp -r $tags/$(cat /var/lib/cfsvm/stable) $tags/stable
"""
# As the timer of every machine, but soon and often: its times are monotonic, and nobody here waits for half a day.
TIMER = "[Timer]\nOnBootSec=\nOnBootSec=10\nOnUnitInactiveSec=20\nRandomizedDelaySec=0\n"


def write(vm, path, text, mode="644"):
    vm.run(f"mkdir -p $(dirname {path}); cat > {path} <<'END_OF_FILE'\n{text}END_OF_FILE\nchmod {mode} {path}")


def it_is(vm, when, take=Vm.run):
    """Also what the machine's clock says when it starts next."""
    take(vm, f"date -s '{when}' > /dev/null && hwclock --systohc --utc")


def conditions(vm, text):
    vm.run(f"echo '{text}' > /var/lib/cfsvm/conditions")


def waits_for(vm, kinds, seconds=120):
    """The daemon says that nothing but this holds it."""
    wanted = "".join(f"{kind}\\n" for kind in sorted(kinds))
    vm.run(f"""end=$((SECONDS + {seconds}))
while [ $SECONDS -lt $end ]; do
  found=$(cfsctl policy show --json | grep -o '"kind":"[a-z-]*"' | cut -d'"' -f4 | sort)
  [ "$found" != "$(printf '{wanted}')" ] || exit 0
  sleep 1
done
date; systemctl list-timers --no-pager cfsupdated-update.timer; cfsctl policy show; cfsctl status
journalctl -b -o cat -u cfsupdated-update.service -u cfsupdated.service | tail -n 30; exit 1""", seconds=seconds + 60)


def stays(vm, version):
    found = vm.status()
    check(found["booted"]["version"] == version and not found["staged"], f"it did not wait: {found}")


def prepare(vm):
    step("an afternoon: a machine whose policy is `apply`, in a window at night")
    vm.run("systemctl is-system-running --wait", seconds=300)
    it_is(vm, "2031-03-03 15:00:00")  # a Monday
    write(vm, "/var/lib/cfsvm/stable", "v2\n")
    conditions(vm, "no no 100")
    write(vm, "/var/lib/cfsvm/release", RELEASE, "755")
    write(vm, "/var/lib/cfsvm/registry", REGISTRY, "755")
    for name, text in UNITS.items():
        write(vm, f"/etc/systemd/system/{name}", text)
    write(vm, "/etc/systemd/system/cfsupdated-update.timer.d/often.conf", TIMER)
    write(vm, "/etc/cfsupdated/cfsupdated.toml", SETTINGS)
    vm.run("systemctl daemon-reload; systemctl enable --now conditions.service registry.service")
    vm.run("systemctl try-restart cfsupdated.service; systemctl enable --now cfsupdated-update.timer")
    waits_for(vm, ["outside-window"])
    stays(vm, "1")
    text = vm.run("cfsctl policy show")
    check("02:00" in text, f"until when? {text}")


def first_night(vm):
    step("the first night, on a metered link, then with a low battery: both hold it")
    conditions(vm, "yes no 100")
    it_is(vm, "2031-03-04 02:10:00")
    waits_for(vm, ["metered"])
    # One after the other: two services tell of them, and between their words nothing would hold it.
    conditions(vm, "yes yes 12")
    waits_for(vm, ["metered", "on-battery"])
    conditions(vm, "no yes 12")
    waits_for(vm, ["on-battery"])
    stays(vm, "1")
    step("the link is free and the battery charged: version 2, by itself")
    conditions(vm, "no yes 80")
    vm.wait_for_boot(version="2")
    vm.wait_until_proven()


def held_for_days(vm):
    step("version 3 comes out; the link is metered that night and the next ones")
    it_is(vm, "2031-03-04 15:00:00")
    conditions(vm, "yes no 100")
    vm.run("systemctl is-active conditions.service registry.service")
    write(vm, "/var/lib/cfsvm/stable", "v3\n")
    vm.run("/var/lib/cfsvm/release")
    waits_for(vm, ["metered", "outside-window"])
    it_is(vm, "2031-03-05 02:10:00")
    waits_for(vm, ["metered"])
    stays(vm, "2")


def released(vm):
    step("after three days nothing holds it but the window of its restart")
    it_is(vm, "2031-03-07 16:00:00")
    waits_for(vm, ["outside-window"], seconds=600)
    found = vm.status()
    equal([found["booted"]["version"], found["staged"]["version"]], ["2", "3"], "what runs and what waits")
    step("the second night: version 3, by itself")
    # It may be on its way before it can answer.
    it_is(vm, "2031-03-08 02:00:00", Vm.send)
    vm.wait_for_boot(version="3")
    vm.wait_until_proven()
    found = vm.status()
    equal([found["booted"]["version"], found["rollback"]["version"]], ["3", "2"], "what runs and the way back")
    check(not found["fallback"] and found["last_error"] is None, f"it did not go well: {found}")


def scenario(vm):
    vm.start()
    prepare(vm)
    first_night(vm)
    held_for_days(vm)
    released(vm)
    vm.power_off()


main(scenario)
