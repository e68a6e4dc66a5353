#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""terminal.py CFSCTL CFSUPDATED FIXTURES TERMINAL.md [--write]: what a person sees. tmux shows a terminal of 80x24
characters; in it cfsctl talks to the real daemon, on a bus of its own and a machine that is made of directories, about
images of a registry that this script is. What it shows must be what TERMINAL.md has, but for numbers that change;
--write makes that file anew: read it as somebody who has never seen the program. Also: help of every verb. Ends with 77
where tmux is missing."""
import http.server
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time

WIDTH, HEIGHT = 80, 24
NAME = "org.opencontainers.image.ref.name"
BUS = """<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""
CONFIG = """image = "docker://127.0.0.1:{port}/os:stable"
sysroot = "{top}/sysroot"
esp = "{top}/esp"
efivars = "{top}/efivars"
cmdline = "{top}/cmdline"
run = "{top}/run"
[store]
verity = "try"
[trust]
mode = "verified"
certificates = ["{fixtures}/keys/db.crt"]
[health]
directories = []
[net]
registries_conf = ""
certs_dirs = []
auth_files = []
attempts = 1
"""


class Registry(http.server.ThreadingHTTPServer):
    """The images of an OCI layout, one at a time under the tag "stable", with a fault on command."""

    def __init__(self, layout):
        super().__init__(("127.0.0.1", 0), Handler)
        self.layout, self.fault = layout, ""
        self.gate = threading.Event()
        with open(layout / "index.json", encoding="utf-8") as file:
            self.tags = {m["annotations"][NAME]: m for m in json.load(file)["manifests"]}
        self.stable = self.tags["v1"]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a client that leaves is none

    def blob(self, digest):
        return (self.layout / "blobs" / digest.replace(":", "/")).read_bytes()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, data, kind, digest):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Docker-Content-Digest", digest)
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.server.fault == "stall" and len(data) > 1_000_000:
            middle = len(data) * 2 // 5
            # Slowly enough to be seen.
            for at in range(0, middle, 100_000):
                self.wfile.write(data[at:min(at + 100_000, middle)])
                self.wfile.flush()
                time.sleep(0.06)
            self.server.gate.wait(60)
            data = data[middle:]
        self.wfile.write(data)

    def do_GET(self):
        if self.server.fault == "login":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="images"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        what, last = self.path.split("/")[-2:]
        if what == "manifests":
            entry = self.server.stable
            self.answer(self.server.blob(entry["digest"]), entry["mediaType"], entry["digest"])
            return
        data = self.server.blob(last)
        if self.server.fault == "damage" and len(data) > 1000:
            data = data[:500] + bytes([data[500] ^ 1]) + data[501:]
        self.answer(data, "application/octet-stream", last)

    do_HEAD = do_GET


def uki_cmdline(path):
    """The section .cmdline of a PE file."""
    data = path.read_bytes()
    pe = struct.unpack_from("<I", data, 0x3c)[0]
    count, optional = struct.unpack_from("<H", data, pe + 6)[0], struct.unpack_from("<H", data, pe + 20)[0]
    for i in range(count):
        at = pe + 24 + optional + 40 * i
        if data[at:at + 8].rstrip(b"\0") == b".cmdline":
            size, _, _, start = struct.unpack_from("<IIII", data, at + 8)
            return data[start:start + size].rstrip(b"\0\n").decode() + "\n"
    sys.exit(f"{path} has no .cmdline")


class Machine:
    def __init__(self, top, cfsctl, cfsupdated, fixtures):
        self.top, self.cfsctl, self.terminals = top, cfsctl, 0
        self.registry = Registry(fixtures / "images")
        self.port = self.registry.server_address[1]
        for name in ("sysroot", "esp/EFI/Linux", "efivars", "run", "bin"):
            (top / name).mkdir(parents=True)
        (top / "cmdline").write_text("quiet\n", encoding="ascii")
        (top / "bin/cfsctl").symlink_to(cfsctl)
        config = top / "c.toml"
        config.write_text(CONFIG.format(port=self.port, top=top, fixtures=fixtures), encoding="ascii")
        install = [cfsctl, "install", "--config", config, "--sysroot", top / "sysroot", "--esp", top / "esp",
                   f"oci:{fixtures}/images:v1"]
        subprocess.run(install, check=True, capture_output=True)
        entry = next((top / "esp/EFI/Linux").glob("*.efi"))
        (top / "cmdline").write_text(uki_cmdline(entry), encoding="ascii")
        (top / "bus.conf").write_text(BUS.format(top / "bus"), encoding="ascii")
        self.address = f"unix:path={top}/bus"
        self.children = [subprocess.Popen(["dbus-daemon", f"--config-file={top}/bus.conf", "--nofork", "--print-address"],
                                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)]
        self.children[0].stdout.readline()
        daemon = subprocess.Popen([cfsupdated, "--config", config, "--bus", self.address], stderr=subprocess.PIPE, text=True)
        self.children.insert(0, daemon)
        while "is ready" not in (line := daemon.stderr.readline()):
            if not line:
                sys.exit("the daemon does not start")
        threading.Thread(target=daemon.stderr.read, daemon=True).start()

    def stop(self):
        for child in self.children:
            child.kill()
            child.wait()


class Terminal:
    """One command in a terminal, until close()."""

    def __init__(self, machine, command):
        self.machine, self.command = machine, command
        machine.terminals += 1
        self.socket = machine.top / f"tmux{machine.terminals}"
        self.ended = machine.top / "ended"
        self.ended.unlink(missing_ok=True)
        script = f"printf '$ {command}\\n'; {command}; echo $? > {self.ended}; exec sleep 600"
        environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=machine.address, TZ="UTC", LC_ALL="C.UTF-8",
                           PATH=f"{machine.top}/bin:{os.environ['PATH']}")
        environment.pop("TMUX", None)
        self.tmux("new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), script, env=environment)

    def tmux(self, *args, env=None):
        done = subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", *args], check=True, capture_output=True,
                              text=True, env=env)
        return done.stdout

    def code(self, patience=120):
        deadline = time.monotonic() + patience
        while not self.ended.exists() or not self.ended.read_text():
            if time.monotonic() > deadline:
                sys.exit(f"'{self.command}' does not end; it shows:\n{self.shown()}")
            time.sleep(0.05)
        time.sleep(0.2)  # tmux draws what it got
        return int(self.ended.read_text())

    def shown(self):
        """As a person sees it."""
        return self.tmux("capture-pane", "-p").rstrip("\n") + "\n"

    def require_width(self):
        # Lines that the terminal had to break are joined again.
        for line in self.tmux("capture-pane", "-p", "-J").splitlines():
            if len(line.rstrip()) > WIDTH:
                sys.exit(f"'{self.command}' prints a line of {len(line)} columns:\n{line}")

    def close(self):
        self.tmux("kill-server")


def see(machine, title, command, expected):
    """One command to its end."""
    terminal = Terminal(machine, command)
    code = terminal.code()
    shown = terminal.shown()
    terminal.require_width()
    terminal.close()
    if code != expected:
        sys.exit(f"'{command}' ended with {code}, not {expected}:\n{shown}")
    return (title, shown, f"Exit code {code}.")


def see_update(machine):
    """In the middle, and at its end."""
    machine.registry.fault = "stall"
    terminal = Terminal(machine, "cfsctl update")
    deadline = time.monotonic() + 60
    while not re.search(r"fetch .*[23]\d%.*/s  ETA", middle := terminal.shown()):
        if time.monotonic() > deadline:
            sys.exit(f"no progress is shown:\n{middle}")
        time.sleep(0.1)
    terminal.require_width()
    machine.registry.gate.set()
    code = terminal.code()
    end = terminal.shown()
    terminal.require_width()
    terminal.close()
    machine.registry.fault = ""
    if code != 0:
        sys.exit(f"the update failed:\n{end}")
    return [("An update, in the middle", middle, ""), ("An update, at its end", end, "Exit code 0.")]


def tell(machine):
    """The whole story: (title, what is shown, a line about it)."""
    registry = machine.registry
    registry.stable = registry.tags["v2-big"]
    story = [see(machine, "Is there something new?", "cfsctl check", 0)]
    story += see_update(machine)
    story.append(see(machine, "How does it stand?", "cfsctl status", 0))
    story.append(see(machine, "Is a reboot due?", "cfsctl pending", 0))
    story.append(see(machine, "Back to what runs", "cfsctl rollback", 0))
    registry.stable = registry.tags["v3"]
    registry.fault = "login"
    story.append(see(machine, "The registry wants a login", "cfsctl update", 1))
    registry.fault = "damage"
    story.append(see(machine, "What arrives is not what was named", "cfsctl update", 1))
    registry.shutdown()
    registry.server_close()
    story.append(see(machine, "The registry cannot be reached", "cfsctl check", 1))
    story.append(see(machine, "And how does it stand then?", "cfsctl status", 0))
    return story


def constant(text, machine, fixtures):
    """What differs from machine to machine goes, the widths stay where they can."""
    text = text.replace(f"127.0.0.1:{machine.port}", "os.example:5000")
    text = text.replace(f"127.0.0.1 port {machine.port}", "os.example port 5000")
    return text.replace(str(fixtures), "/srv").replace(str(machine.top), "/tmp/machine")


def structure(text):
    """The words, without numbers that change from run to run."""
    text = re.sub(r"\b[0-9a-f]{8,}\b", "HEX", text)
    text = re.sub(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", "TIME", text)
    text = re.sub(r"\d+(\.\d+)? ([KMG]i)?B/s  ETA [0-9:]+", "RATE", text)
    text = re.sub(r"\d+(\.\d+)? ([KMG]i)?B\b", "SIZE", text)
    text = re.sub(r"\[[#-]+\]", "[BAR]", text)
    text = re.sub(r" \d+%", " N%", text)
    # Where words go to the next line depends on the width of numbers.
    text = re.sub(r"\s+", " ", text).strip()
    # Other releases of libcurl say it in other words.
    return re.sub(r"Failed to connect to .*? server\b", "NO CONNECTION", text)


def page(story):
    out = ["<!-- SPDX-License-Identifier: Apache-2.0 -->", "# What cfsctl shows", "",
           "A terminal of 80x24 characters, recorded by `tests/integration/client/terminal.py --write`; a test compares.",
           "The machine runs version 1 of a small test image, the registry is a stand-in.", ""]
    for title, shown, remark in story:
        out += [f"## {title}", "", "```", *shown.rstrip("\n").split("\n"), "```", ""]
        if remark:
            out += [remark, ""]
    return "\n".join(out).rstrip("\n") + "\n"


def sections(text):
    return dict(re.findall(r"^## (.*?)\n\n```\n(.*?)```$", text, re.S | re.M))


def compare(story, path):
    kept = sections(path.read_text(encoding="utf-8"))
    if list(kept) != [title for title, _, _ in story]:
        sys.exit(f"{path} has other sections: {list(kept)}")
    for title, shown, _ in story:
        if structure(kept[title]) != structure(shown):
            sys.exit(f"'{title}' is not what {path} has: record it anew with --write, and read it\n--- kept\n{kept[title]}"
                     f"--- now\n{shown}")
        for line in kept[title].split("\n"):
            if len(line) > WIDTH:
                sys.exit(f"{path} has a line of {len(line)} columns: {line}")


def check_bites(story):
    """A word less would be seen."""
    title, shown, _ = story[0]
    broken = shown.replace("update available", "update", 1)
    if structure(broken) == structure(shown):
        sys.exit(f"the comparison of '{title}' sees nothing")


def help_sizes(cfsctl):
    """(verb, lines, columns) of each help that does not fit a screen."""
    listed, wide = [], []
    todo = [[]]
    while todo:
        verb = todo.pop(0)
        text = subprocess.run([cfsctl, *verb, "--help"], check=True, capture_output=True, text=True).stdout
        lines = text.rstrip("\n").split("\n")
        if len(lines) > HEIGHT or max(map(len, lines)) > WIDTH:
            wide.append((" ".join(verb) or "(none)", len(lines), max(map(len, lines))))
        listed.append(" ".join(verb))
        subcommands = text.split("Subcommands:\n")[1:] or [""]
        todo += [[*verb, line.split()[0]] for line in subcommands[0].split("\n") if re.match(r"  \S", line)]
    if "image seal" not in listed or "status" not in listed:
        sys.exit(f"the verbs are not all of them: {listed}")
    return listed, wide


def main():
    cfsctl, cfsupdated, fixtures, kept = (pathlib.Path(arg).resolve() for arg in sys.argv[1:5])
    for tool in ("tmux", "dbus-daemon"):
        if not shutil.which(tool):
            print(f"skipped: needs {tool}")
            sys.exit(77)
    with tempfile.TemporaryDirectory() as top:
        machine = Machine(pathlib.Path(top), cfsctl, cfsupdated, fixtures)
        try:
            story = tell(machine)
        finally:
            machine.stop()
        story = [(title, constant(shown, machine, fixtures), remark) for title, shown, remark in story]
    if sys.argv[5:] == ["--write"]:
        kept.write_text(page(story), encoding="utf-8")
    compare(story, kept)
    check_bites(story)
    listed, wide = help_sizes(cfsctl)
    for verb, lines, columns in wide:
        print(f"help of {verb}: {lines} lines, {columns} columns")
    print(f"terminal: {len(story)} screens; help of {len(listed)} verbs, {len(wide)} larger than a screen")


if __name__ == "__main__":
    main()
