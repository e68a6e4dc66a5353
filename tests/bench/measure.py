# SPDX-License-Identifier: Apache-2.0
"""What a command costs."""
import ctypes
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

TICKS = os.sysconf("SC_CLK_TCK")
LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass
class Cost:
    wall: float  # seconds until the last command ended
    cpu: float  # user + system seconds of all its processes
    peak: int  # bytes of resident memory of its largest process
    sync: float = 0.0  # seconds of a syncfs() right afterwards
    registry: float = 0.0  # CPU seconds of the registry meanwhile

    @property
    def durable(self):
        return self.wall + self.sync


def syncfs(path):
    """Writes back the file system of `path`; seconds that took."""
    fd = os.open(path, os.O_RDONLY)
    start = time.monotonic()
    if LIBC.syncfs(fd) != 0:
        raise OSError(ctypes.get_errno(), "syncfs")
    os.close(fd)
    return time.monotonic() - start


def timed(commands, log, expect=0, env=None):
    """Runs the commands one after the other."""
    cpu, peak = 0.0, 0
    start = time.monotonic()
    for command in commands:
        with open(log, "ab") as sink:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=env)
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:
                process.kill()
                raise
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != expect:
            shutil.copyfileobj(open(log, errors="replace", encoding="utf-8"), sys.stderr)
            sys.exit(f"bench: '{' '.join(command)}' ended with {process.returncode}")
        cpu += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss * 1024)
    return Cost(time.monotonic() - start, cpu, peak)


def cpu_of(pid):
    """CPU seconds of a process that runs."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as source:
        fields = source.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_of(pid):
    """Bytes of resident memory a process that runs had at its largest."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as source:
        line = next(line for line in source if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def wait_until(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"bench: gave up waiting for {what}")
        time.sleep(0.02)


def empty_dir(path):
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path
