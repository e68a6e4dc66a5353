#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""loaders.py CHOICE LOADERS WORK: on the same ESPs, systemd-boot 252 and 257 start what CHOICE, a program over this
project's own code, predicts. What they start says its name and powers off: a boot takes seconds."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

from efi_program import program

FIRMWARE, VARIABLES = "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"
LOADERS = ("bookworm", "trixie")  # in the order of CHOICE's lines: names with counters, names without
SECONDS = 120

# What is on the ESP: UKIs with the version in their os-release (and the IMAGE_ID, if not "os"; None: a broken file), entries
# of type 1 with their version, and the lines of loader.conf.
TREES = {
    "an update": {"os_1-1.efi": "1", "os_2-2+2-0.efi": "2"},
    "its last try": {"os_1-1.efi": "1", "os_2-2+1-1.efi": "2"},
    "tries used up": {"os_1-1.efi": "1", "os_2-2+0-2.efi": "2"},
    "a rollback": {"os_1-1+2-0.efi": "1", "os_2-2+0-1.efi": "2"},
    "all tries used up": {"os_1-1+0-2.efi": "1", "os_2-2+0-2.efi": "2"},
    "ten is more than nine": {"os_9-1.efi": "9", "os_10-2+2-0.efi": "10"},
    "a candidate is less": {"os_z-1+2-0.efi": "2~rc1", "os_a-2.efi": "2"},
    "the same version again": {"os_1-9-aaaaaaaa.efi": "1", "os_1-10-11111111+2-0.efi": "1"},
    "the same version, the newer used up": {"os_1-9-aaaaaaaa.efi": "1", "os_1-10-11111111+0-2.efi": "1"},
    "another system's key": {"os_2-2.efi": "2", "another_1.efi": ("1", "another")},
    "what is staged is no entry": {"os_1-1.efi": "1", "os_2-2.efi.cfs-new": "2", "os_3-3.efi.tmp": "3"},
    "a broken newer file": {"os_1-1.efi": "1", "os_2-2.efi": None},
    "a pattern": {"os_1-1.efi": "1", "os_2-2+2-0.efi": "2", "loader.conf": "default os_1*\n"},
    "a pattern of what is used up": {"os_1-1.efi": "1", "os_2-2+0-2.efi": "2", "loader.conf": "default os_2*\n"},
    "an exact name without its counter": {"os_1-1+2-0.efi": "1", "os_2-2.efi": "2",
                                          "loader.conf": "default os_1-1.efi\n"},
    "an upper-case name": {"os_1-1.efi": "1", "OS_2-2+2-0.EFI": "2"},
    "a newer entry of type 1": {"os_2-2.efi": "2", "other.conf": "3"},
    "an older entry of type 1": {"os_2-2.efi": "2", "other+2-0.conf": "1"},
    # Nothing of ours makes these; 257 takes the one that comes first in the directory.
    "twins": {"os_1-1.efi": "1", "os_1-1+3-0.efi": "1"},
    "other twins": {"os_7-7.efi": "7", "os_7-7+3-0.efi": "7", "os_6-6.efi": "6", "os_6-6+2-1.efi": "6"},
    "twins, one used up": {"os_1-1+0-3.efi": "1", "os_1-1.efi": "1"},
}


def release(version, system="os"):
    return f'ID=demo\nIMAGE_ID={system}\nIMAGE_VERSION={version}\nPRETTY_NAME="{system} {version}"\n'


def put(root, name, value):
    """One file of the tree."""
    text = f"started: {name}"
    if name == "loader.conf":
        (root / "loader/loader.conf").write_text("timeout 0\n" + value)
    elif name.endswith(".conf"):
        (root / f"EFI/{name}.efi").write_bytes(program(text))
        (root / "loader/entries" / name).write_text(f"title x\nsort-key os\nversion {value}\nefi /EFI/{name}.efi\n")
    elif value is None:
        (root / "EFI/Linux" / name).write_bytes(b"MZ, and no more")
    else:
        words = [value] if isinstance(value, str) else value
        (root / "EFI/Linux" / name).write_bytes(program(text, release(*words)))


def make_tree(root, files):
    shutil.rmtree(root, ignore_errors=True)
    (root / "EFI/Linux").mkdir(parents=True)
    (root / "loader/entries").mkdir(parents=True)
    for name, value in {"loader.conf": "", **files}.items():
        put(root, name, value)


def make_image(image, root, loader):
    image.unlink(missing_ok=True)
    subprocess.run(["mkfs.vfat", "-F", "32", "-C", image, "40960"], check=True, stdout=subprocess.DEVNULL)
    boot = root / "EFI/BOOT"
    boot.mkdir(exist_ok=True)
    shutil.copy(loader, boot / "BOOTX64.EFI")
    # In the order in which the host's directory has them, which CHOICE sees and some loaders go by.
    folders = [folder for folder, _, _ in os.walk(root) if folder != str(root)]
    subprocess.run(["mmd", "-i", image, *("::" + folder[len(str(root)):] for folder in folders)], check=True)
    for folder in folders:
        names = [entry.path for entry in os.scandir(folder) if entry.is_file()]
        if names:
            subprocess.run(["mcopy", "-i", image, *names, "::" + folder[len(str(root)):] + "/"], check=True)
    shutil.rmtree(boot)


def start(image, work):
    """What the firmware and the loader start."""
    shutil.copy(VARIABLES, work / "vars.fd")
    log = work / "console.log"
    log.unlink(missing_ok=True)
    subprocess.run(["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-cpu", "Nehalem", "-m", "128",
                    "-nodefaults", "-nographic", "-net", "none", "-no-reboot",
                    "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={FIRMWARE}",
                    "-drive", f"if=pflash,format=raw,unit=1,file={work}/vars.fd",
                    "-drive", f"if=virtio,format=raw,cache=unsafe,file={image}", "-serial", f"file:{log}"],
                   stdin=subprocess.DEVNULL, timeout=SECONDS, check=True)
    return re.findall(r"started: (\S+)", log.read_text(errors="replace"))


def main():
    choice, loaders, work = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]) / "loaders"
    for path in (FIRMWARE, VARIABLES):
        if not pathlib.Path(path).exists():
            print(f"skipped: needs {path} (tests/packages)")
            sys.exit(77)
    wrong = 0
    work.mkdir(parents=True, exist_ok=True)
    for what, files in TREES.items():
        make_tree(work / "esp", files)
        predicted = subprocess.run([choice, work / "esp"], check=True, capture_output=True, text=True).stdout.split("\n")
        for loader, wanted in zip(LOADERS, predicted):
            make_image(work / "esp.img", work / "esp", loaders / f"{loader}.efi")
            found = start(work / "esp.img", work)
            right = found == [wanted]
            wrong += not right
            print(f"{'ok    ' if right else 'FAILED'} {what}: {loader} starts {found}, predicted {wanted}", flush=True)
    shutil.rmtree(work)
    sys.exit(1 if wrong else 0)


main()
