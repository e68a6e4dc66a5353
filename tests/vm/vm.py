# SPDX-License-Identifier: Apache-2.0
"""A virtual machine with UEFI firmware, Secure Boot and a disk that was made by make_guest; QEMU without KVM.

A scenario is a function of one Vm: it boots, runs scripts inside and states what it expects. On a failure the serial
log, the ESP's tree and the end of both are kept and shown.
"""
import base64
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import traceback

BOOT_SECONDS = 600
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
        self.qemu = self.port = None
        self.boots = 0

    def start(self):
        """Power on, until the guest's agent answers."""
        path = self.work / "agent"
        path.unlink(missing_ok=True)
        drive = "if=virtio,format=raw,cache=unsafe,file="
        with open(self.work / "qemu.log", "ab") as log:
            self.qemu = subprocess.Popen(
                ["qemu-system-x86_64", "-machine", "q35,smm=on", "-accel", "tcg,thread=multi", "-smp", "2",
                 "-cpu", "Nehalem,-cx16,+rdrand", "-m", "1024", "-nodefaults", "-nographic", "-net", "none",
                 "-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1",
                 "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={FIRMWARE}",
                 "-drive", f"if=pflash,format=raw,unit=1,file={self.vars}",
                 "-drive", f"{drive}{self.disk}", "-drive", f"{drive}{self.guest}/images.img,readonly=on",
                 "-chardev", f"file,id=console,append=on,path={self.serial}", "-serial", "chardev:console",
                 "-device", "virtio-serial", "-chardev", f"socket,id=agent,server=on,wait=off,path={path}",
                 "-device", "virtserialport,chardev=agent,name=cfsvm"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while not path.exists():
            if self.qemu.poll() is not None or time.monotonic() > deadline:
                raise Failure("qemu does not start: " + (self.work / "qemu.log").read_text())
            time.sleep(0.05)
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(path))
        self.port = connection
        self.pending = b""
        self.wait_for_boot()

    def read_line(self, seconds):
        deadline = time.monotonic() + seconds
        while b"\n" not in self.pending:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Failure(f"no answer within {seconds} seconds")
            self.port.settimeout(left)
            try:
                piece = self.port.recv(1 << 16)
            except TimeoutError:
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
            words = self.read_line(seconds).split()
            if words[:1] != ["hello"]:
                continue
            self.boots += 1
            print(f"   version {words[2]} is up after {time.monotonic() - began:.0f} s", flush=True)
            if version in (None, words[2]):
                return

    def run(self, script, seconds=300, status=0):
        """Output of a bash script in the guest; it must end with that status (None: with any but 0)."""
        self.port.sendall(base64.b64encode(script.encode()) + b"\n")
        found, _, text = self.read_line(seconds).partition(" ")
        output = base64.b64decode(text).decode(errors="replace")
        if (int(found) == 0) if status is None else (int(found) != status):
            raise Failure(f"'{script}' ended with {found}:\n{output}")
        return output

    def reboot(self, seconds=BOOT_SECONDS, version=None):
        """A clean shutdown, and whatever the firmware, the loader and the initrd then do."""
        self.port.sendall(base64.b64encode(b"systemctl --no-block reboot") + b"\n")
        self.wait_for_boot(seconds, version)

    def power_off(self):
        self.port.sendall(base64.b64encode(b"systemctl --no-block poweroff") + b"\n")
        self.qemu.wait(120)
        self.port.close()

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
    if vm.serial.exists():
        lines = vm.serial.read_text(errors="replace").splitlines()
        print("-- end of the serial log:", *lines[-60:], sep="\n   ")
    (vm.work / "esp.txt").write_text("\n".join(vm.esp()) + "\n")
    vm.disk.unlink(missing_ok=True)
    print(f"-- kept: {vm.work}")


def main(scenario):
    """SCENARIO GUEST WORK"""
    if not os.path.exists(os.path.join(sys.argv[1], "disk.img")):
        print("skipped: there is no guest, vm.guest says why")
        sys.exit(77)
    vm = Vm(sys.argv[1], os.path.join(sys.argv[2], pathlib.Path(sys.argv[0]).stem))
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
