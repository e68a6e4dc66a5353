# SPDX-License-Identifier: Apache-2.0
"""A virtual machine with UEFI firmware, Secure Boot and a disk that was made by make_guest; QEMU without KVM.

A scenario is a function of one Vm: it boots, runs scripts inside and states what it expects. On a failure the serial
log, the ESP's tree and the end of both are kept and shown.
"""
import base64
import json
import os
import pathlib
import select
import shutil
import socket
import subprocess
import sys
import time
import traceback

BOOT_SECONDS = 1200
OFF_SECONDS = 300
# After a kernel's last words the firmware is on the console within seconds.
FIRMWARE_SECONDS = 180
LAST_WORDS = "reboot: machine restart", "Rebooting in "
ESP_OFFSET = "1M"
FIRMWARE = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"


class Failure(Exception):
    pass


class Vm:
    def __init__(self, guest, work):
        self.guest, self.work = pathlib.Path(guest), pathlib.Path(work)
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.disk, self.vars = self.work / "disk.img", self.work / "vars.fd"
        self.serial = self.work / "serial.log"
        subprocess.run(["cp", "--sparse=always", self.guest / "disk.img", self.disk], check=True)
        shutil.copy(self.guest / "vars.fd", self.vars)
        self.qemu = self.port = self.cuts = None
        self.cache = "unsafe"
        self.log = None
        self.boots = 0

    def start(self):
        """Power on, until the guest's agent answers."""
        self.power_on()
        self.wait_for_boot()

    def power_on(self):
        for name in "agent", "cuts":
            (self.work / name).unlink(missing_ok=True)
        with open(self.work / "qemu.log", "ab") as log:
            self.qemu = subprocess.Popen(
                ["qemu-system-x86_64", "-machine", "q35,smm=on", "-accel", "tcg", "-smp", "1",
                 "-cpu", "Nehalem,-cx16,+rdrand", "-m", "1024", "-nodefaults", "-nographic", "-net", "none",
                 "-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1",
                 "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={FIRMWARE}",
                 "-drive", f"if=pflash,format=raw,unit=1,file={self.vars}",
                 *self.disks(),
                 "-chardev", f"file,id=console,append=on,path={self.serial}", "-serial", "chardev:console",
                 "-device", "virtio-serial",
                 "-chardev", f"socket,id=agent,server=on,wait=off,path={self.work}/agent",
                 "-device", "virtserialport,chardev=agent,name=cfsvm",
                 "-chardev", f"socket,id=cuts,server=on,wait=off,path={self.work}/cuts",
                 "-device", "virtserialport,chardev=cuts,name=cfsvm-cuts"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.port, self.cuts = self.connect("agent"), self.connect("cuts")
        self.pending = b""

    def disks(self):
        """The machine's own, and the one with the images. With a log: all that it writes to its own, in order."""
        images = ["-drive", f"if=virtio,format=raw,cache=unsafe,file={self.guest}/images.img,readonly=on"]
        if self.log is None:
            return ["-drive", f"if=virtio,format=raw,cache={self.cache},file={self.disk}", *images]
        self.log.write_bytes(b"")
        return ["-blockdev", f"driver=file,node-name=disk-file,filename={self.disk}",
                "-blockdev", f"driver=file,node-name=log-file,filename={self.log}",
                "-blockdev", "driver=blklogwrites,node-name=disk,file=disk-file,log=log-file",
                "-device", "virtio-blk-pci,drive=disk,bootindex=1", *images]

    def connect(self, name):
        """One of the guest's ports."""
        path = self.work / name
        deadline = time.monotonic() + 20
        while not path.exists():
            if self.qemu.poll() is not None or time.monotonic() > deadline:
                raise Failure("qemu does not start: " + (self.work / "qemu.log").read_text())
            time.sleep(0.05)
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(path))
        return connection

    def send(self, script):
        """A bash script for the guest; run() also takes its answer."""
        self.port.sendall(base64.b64encode(script.encode()) + b"\n")

    def read_line(self, seconds, idle=lambda: None):
        """The guest's next; idle is called now and then while there is none."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self.pending:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Failure(f"no answer within {seconds} seconds")
            self.port.settimeout(min(left, 10))
            try:
                piece = self.port.recv(1 << 16)
            except TimeoutError:
                idle()
                continue
            if not piece:
                raise Failure("the machine went off")
            self.pending += piece
        line, self.pending = self.pending.split(b"\n", 1)
        return line.decode()

    def wait_for_boot(self, seconds=BOOT_SECONDS, version=None):
        """Until the agent answers; with a version, until that of this one does, whatever comes up before."""
        began = time.monotonic()
        while True:
            words = self.read_line(seconds, self.start_firmware_again).split()
            if words[:1] != ["hello"]:
                continue
            self.boots += 1
            print(f"   version {words[2]} is up after {time.monotonic() - began:.0f} s", flush=True)
            if version in (None, words[2]):
                return

    def start_firmware_again(self):
        """Power off and on where the firmware said nothing since a kernel has asked for a reset. It was seen once, with
        two processors and a busy host (edk2's issue 10293 is of that kind), and no part of ours runs between the two."""
        if self.log is not None or not self.serial.exists():
            return
        silent = time.time() - self.serial.stat().st_mtime
        last = self.console().rstrip().rpartition("\n")[2]
        if silent > FIRMWARE_SECONDS and any(words in last for words in LAST_WORDS):
            print(f"   the firmware is silent since {silent:.0f} s after a reset: power off and on", flush=True)
            self.cut_power()
            self.power_on()

    def run(self, script, seconds=300, status=0):
        """Output of a bash script in the guest; it must end with that status (None: with any but 0)."""
        self.send(script)
        found, _, text = self.read_line(seconds).partition(" ")
        output = base64.b64decode(text).decode(errors="replace")
        if (int(found) == 0) if status is None else (int(found) != status):
            raise Failure(f"'{script}' ended with {found}:\n{output}")
        return output

    def status(self):
        return json.loads(self.run("cfsctl status --json"))

    def mount_images(self):
        """The disk with the layout that make_guest has made."""
        self.run("mountpoint -q /run/images || { mkdir -p /run/images && mount -o ro /dev/vdb /run/images; }")

    def update(self, tag):
        """To one of its images; not before the boot is over, whose last step takes the deployments' lock, too."""
        self.mount_images()
        self.run("systemctl is-system-running --wait || true", seconds=300)
        return self.run(f"cfsctl update --image oci:/run/images/srv/images:{tag} 2>&1", seconds=600)

    def wait_until_proven(self):
        """The boot is complete, and the daemon, that was there before, was told."""
        self.run("systemctl is-system-running --wait", seconds=300)
        self.run("for i in $(seq 30); do cfsctl status | grep -q '^Booted.*on trial' || exit 0; sleep 1; done; exit 1")
        check(self.status()["booted"]["proven"], "what runs is not proven")

    def reboot(self, seconds=BOOT_SECONDS, version=None):
        """A clean shutdown, and whatever the firmware, the loader and the initrd then do."""
        self.send("systemctl --no-block reboot")
        self.wait_for_boot(seconds, version)

    def power_off(self):
        self.send("systemctl --no-block poweroff")
        self.qemu.wait(OFF_SECONDS)
        self.disconnect()

    def cut_power_at(self, point, script, seconds=600):
        """Runs the script, which must not end, and cuts the power as soon as a line on the port of the cuts says so."""
        self.send(script)
        seen, deadline = b"", time.monotonic() + seconds
        while point.encode() not in seen.split(b"\n")[:-1]:
            ready = select.select([self.port, self.cuts], [], [], max(0, deadline - time.monotonic()))[0]
            if not ready:
                raise Failure(f"'{point}' was not reached within {seconds} seconds, last: {seen[-200:]}")
            if self.cuts not in ready:
                raise Failure(f"'{script}' ended before '{point}', last: {seen[-200:]}: {self.read_line(10)}")
            piece = self.cuts.recv(1 << 16)
            if not piece:
                raise Failure("the machine went off")
            seen += piece
        self.cut_power()

    def cut_power(self):
        """No shutdown: what the guest's kernel did not write is gone."""
        self.qemu.kill()
        self.qemu.wait()
        self.disconnect()

    def disconnect(self):
        for connection in self.port, self.cuts:
            connection.close()

    def wait_for_console(self, text, start=0, seconds=300):
        """Until the console shows it; where it ends."""
        deadline = time.monotonic() + seconds
        while (at := self.console().find(text, start)) < 0:
            if time.monotonic() > deadline:
                raise Failure(f"'{text}' is not on the console within {seconds} seconds")
            time.sleep(0.5)
        return at + len(text)

    def console(self):
        return self.serial.read_text(errors="replace") if self.serial.exists() else ""

    def esp(self):
        """Files on the ESP of a machine that is off."""
        out = subprocess.run(["mdir", "-b", "-/", "-i", f"{self.disk}@@{ESP_OFFSET}", "::"],
                             text=True, capture_output=True, check=False).stdout
        return out.split()

    def flip_bit(self, marker):
        """One bit of the one place on the disk, the machine being off, that has these bytes."""
        if self.qemu.poll() is None:
            raise Failure("the machine is on")
        with open(self.disk, "r+b") as disk:
            places, base, tail = set(), 0, b""
            while chunk := disk.read(1 << 24):
                text, start = tail + chunk, base - len(tail)
                at = text.find(marker)
                while at >= 0:
                    places.add(start + at)
                    at = text.find(marker, at + 1)
                base, tail = base + len(chunk), text[-len(marker):]
            if len(places) != 1:
                raise Failure(f"{marker} is at {len(places)} places of the disk")
            place = places.pop()
            disk.seek(place)
            byte = disk.read(1)[0]
            disk.seek(place)
            disk.write(bytes([byte ^ 1]))

    def close(self):
        if self.qemu and self.qemu.poll() is None:
            self.qemu.kill()
            self.qemu.wait()


def check(condition, what):
    if not condition:
        raise Failure(what)


def equal(found, wanted, what):
    check(found == wanted, f"{what}: {found!r}, expected {wanted!r}")


def step(what):
    print(f"== {what}", flush=True)


def show_remains(vm):
    vm.close()
    print("-- ESP:", *vm.esp(), sep="\n   ")
    print("-- end of the serial log:", *vm.console().splitlines()[-60:], sep="\n   ")
    (vm.work / "esp.txt").write_text("\n".join(vm.esp()) + "\n")
    vm.disk.unlink(missing_ok=True)
    print(f"-- kept: {vm.work}")


def main(scenario):
    """SCENARIO GUEST WORK [PART]"""
    if not os.path.exists(os.path.join(sys.argv[1], "disk.img")):
        print("skipped: there is no guest, vm.guest says why")
        sys.exit(77)
    vm = Vm(sys.argv[1], os.path.join(sys.argv[2], "-".join([pathlib.Path(sys.argv[0]).stem] + sys.argv[3:])))
    began = time.monotonic()
    try:
        scenario(vm)
        vm.close()
    except Exception as error:  # whatever it was: the guest's side of it is what tells
        print(f"FAILED: {error}")
        if not isinstance(error, Failure):
            traceback.print_exc()
        show_remains(vm)
        sys.exit(1)
    print(f"passed: {vm.boots} boots, {time.monotonic() - began:.0f} s")
    shutil.rmtree(vm.work)
