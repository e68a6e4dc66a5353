# SPDX-License-Identifier: Apache-2.0
"""Those who pull an image: each has an empty target below `site` and ends with the image's files on disk."""
import os
import subprocess
from dataclasses import dataclass

from measure import Cost, cpu_of, empty_dir, peak_of, timed, wait_until

CHECKS = 20  # a round; a single one tells more of the machine than of us
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={}</listen><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""


@dataclass
class Setting:
    site: str  # empty before each run
    log: str
    cfsctl: str
    cfsupdated: str
    certificate: str
    hash: str  # of fs-verity
    reference: str  # docker://...
    seed: str  # reference of a tiny image
    more: str = ""  # lines for the end of the daemon's settings


def write_config(setting):
    """The machine: three directories, and a file that stands for /proc/cmdline."""
    for name in ("sysroot", "esp", "run"):
        os.makedirs(f"{setting.site}/{name}")
    with open(f"{setting.site}/cmdline", "w", encoding="ascii") as sink:
        sink.write("quiet\n")
    path = f"{setting.site}/cfsupdated.toml"
    with open(path, "w", encoding="utf-8") as sink:
        sink.write(
            f'image = "{setting.reference}"\nsysroot = "{setting.site}/sysroot"\nesp = "{setting.site}/esp"\n'
            f'cmdline = "{setting.site}/cmdline"\nrun = "{setting.site}/run"\n'
            f'[store]\nverity = "try"\nhash = "{setting.hash}"\n'
            f'[trust]\nmode = "verified"\ncertificates = ["{setting.certificate}"]\n{setting.more}'
        )
    return path


def require_files(setting, pattern_dir, least):
    count = sum(len(files) for _, _, files in os.walk(f"{setting.site}/{pattern_dir}"))
    if count < least:
        raise SystemExit(f"bench: only {count} files below {pattern_dir}: this was no pull")


class Install:
    name = "cfsctl install"

    def run(self, setting):
        config = write_config(setting)
        command = [setting.cfsctl, "install", "--config", config, "--sysroot", f"{setting.site}/sysroot",
                   "--esp", f"{setting.site}/esp", setting.reference]
        cost = timed([command], setting.log)
        require_files(setting, "sysroot/composefs/objects", 1000)
        return cost


class Update:
    """The daemon, from a tiny deployment to the image; its checks cost what they cost without a change."""

    name = "cfsupdated update"

    def __init__(self):
        self.checks, self.starts = [], []

    def run(self, setting):
        config = write_config(setting)
        timed([[setting.cfsctl, "install", "--config", config, "--sysroot", f"{setting.site}/sysroot",
                "--esp", f"{setting.site}/esp", setting.seed]], setting.log)
        uki = f"{setting.site}/esp/EFI/Linux/" + os.listdir(f"{setting.site}/esp/EFI/Linux")[0]
        subprocess.run(["objcopy", "-O", "binary", "--only-section=.cmdline", uki, f"{setting.site}/cmdline"], check=True)
        address = f"{setting.site}/bus.socket"
        with open(f"{setting.site}/bus.conf", "w", encoding="ascii") as sink:
            sink.write(BUS.format(address))
        with open(setting.log, "ab") as log:
            bus = subprocess.Popen(["dbus-daemon", f"--config-file={setting.site}/bus.conf", "--nofork"],
                                   stdout=log, stderr=log)
            try:
                wait_until(lambda: os.path.exists(address), "the bus", 10)
                daemon = subprocess.Popen([setting.cfsupdated, "--config", config, "--bus", f"unix:path={address}"],
                                          stdout=log, stderr=log)
                try:
                    return self.update(setting, daemon, [setting.cfsctl, "--bus", f"unix:path={address}"])
                finally:
                    daemon.terminate()
                    daemon.wait()
            finally:
                bus.terminate()
                bus.wait()

    def update(self, setting, daemon, client):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        wait_until(lambda: subprocess.run([*client, "status"], check=False, **quiet).returncode == 0, "the daemon")
        before = cpu_of(daemon.pid)
        cost = timed([[*client, "update"]], setting.log)
        out = Cost(cost.wall, cost.cpu + cpu_of(daemon.pid) - before, peak_of(daemon.pid))
        for _ in range(CHECKS):
            self.checks.append(timed([[*client, "check"]], setting.log, expect=2).wall)
            self.starts.append(timed([[*client, "--version"]], setting.log).wall)
        require_files(setting, "sysroot/composefs/objects", 1000)
        return out


class Podman:
    """With its overlay driver where that works here, else with vfs, which copies each layer."""

    def __init__(self, scratch):
        self.driver = next(d for d in ("overlay", "vfs") if self.works(scratch, d))
        self.name = f"podman pull ({self.driver})"

    def base(self, site, driver):
        return ["podman", "--root", f"{site}/storage", "--runroot", f"{site}/run", "--tmpdir", f"{site}/tmp",
                "--storage-driver", driver]

    def works(self, scratch, driver):
        run = subprocess.run([*self.base(empty_dir(f"{scratch}/podman"), driver), "info"], check=False,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return run.returncode == 0

    def run(self, setting):
        base = self.base(setting.site, self.driver)
        cost = timed([[*base, "pull", "--quiet", "--tls-verify=false", setting.reference]], setting.log)
        require_files(setting, f"storage/{self.driver}", 1000)
        return cost


class SkopeoUmoci:
    name = "skopeo copy + umoci unpack"

    def __init__(self):
        for program in ("skopeo", "umoci"):  # from the disk into the page cache, where cfsctl and podman are by now
            subprocess.run([program, "--version"], check=True, stdout=subprocess.DEVNULL)

    def run(self, setting):
        layout = f"{setting.site}/layout"
        cost = timed([["skopeo", "copy", "--quiet", "--src-tls-verify=false", setting.reference, f"oci:{layout}:os"],
                      ["umoci", "unpack", "--image", f"{layout}:os", f"{setting.site}/bundle"]], setting.log)
        require_files(setting, "bundle/rootfs", 1000)
        return cost
