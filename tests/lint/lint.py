#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lint.py CHECK SOURCE: rules of this project that no compiler knows. Ends with 1 and a line per finding."""
import pathlib
import re
import shutil
import subprocess
import sys

BELOW_UPDATE = {"settings", "net", "archive", "store", "image", "mount", "uki", "boot", "etc", "health"}
LOW = {"crypto", "base"}
# What a component may include, itself apart.
ALLOWED = {
    "base": set(),
    "crypto": {"base"},
    "bus": {"dbus", "base"},
    **{name: set(LOW) for name in BELOW_UPDATE},
    "update": BELOW_UPDATE | LOW,
    "policy": {"settings"} | LOW,
    "service": {"bus", "update", "policy", "dbus"} | BELOW_UPDATE | LOW,
    "app": {"service", "bus", "update", "policy", "dbus"} | BELOW_UPDATE | LOW,
    "client": {"update", "dbus"} | BELOW_UPDATE | LOW,
    # The adapter: a client of the bus like any other, which links nothing of the daemon's work.
    "sysupdate": {"bus", "dbus", "client", "base"},
    "systemd": {"mount", "boot", "uki"} | LOW,
}
# Third-party headers have one home, so that replacing a library is the work of one folder.
HOMES = {
    r"curl/": {"net"},
    r"archive(_entry)?\.h": {"archive"},
    r"openssl/(?!ssl\.h)": {"crypto"},
    r"openssl/ssl\.h": {"net"},  # libcurl hands out its contexts
    r"toml\+\+/": {"settings", "net"},
    r"boost/json": {"net", "store", "update", "service", "client", "sysupdate"},
    r"boost/asio": {"bus", "service", "app", "sysupdate"},
    r"pcre2": {"image"},
    r"zstd": {"store", "archive"},
    r"isa-l": {"archive"},
    r"igzip": {"archive"},
    r"sdbus-c\+\+": {"bus", "service", "dbus", "client", "app", "sysupdate"},
    r"CLI/": {"client"},
    r"spdlog/": {"base"},
    r"systemd/sd-journal": {"base"},
    r"systemd/sd-device": {"boot"},
}
MAX_LINES = 400
CLANG_FORMAT = "14"


def sources(top, *folders):
    for folder in folders:
        for path in sorted((top / folder).rglob("*")):
            if path.suffix in (".cpp", ".hpp", ".c", ".h") and path.is_file():
                yield path


def component(top, path):
    parts = path.relative_to(top).parts
    if parts[:2] == ("client", "sysupdate"):
        return "sysupdate"
    return parts[1] if parts[0] == "daemon" and len(parts) > 2 else parts[0]


def layers(top):
    for path in sources(top, "daemon", "client", "systemd"):
        name = component(top, path)
        if name not in ALLOWED:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            own = re.match(r'#include "([a-z_]+)/', line)
            if own and own[1] != name and own[1] not in ALLOWED[name] and own[1] in {*ALLOWED, "dbus"}:
                yield f"{path}:{number}: {name} must not include {own[1]}"
            for pattern, homes in HOMES.items():
                if re.match(rf"#include <{pattern}", line) and name not in homes:
                    yield f"{path}:{number}: <{pattern}> belongs to {', '.join(sorted(homes))}"


def sizes(top):
    for path in sources(top, "daemon", "client", "dbus", "systemd", "tests"):
        count = len(path.read_text().splitlines())
        if count > MAX_LINES:
            yield f"{path}: {count} lines, at most {MAX_LINES}"


def licences(top):
    for path in sources(top, "daemon", "client", "dbus", "systemd", "tests"):
        if "SPDX-License-Identifier: Apache-2.0" not in path.read_text()[:200]:
            yield f"{path}: no SPDX line at its top"


def format_(top):
    tool = shutil.which(f"clang-format-{CLANG_FORMAT}") or shutil.which("clang-format")
    version = subprocess.check_output([tool, "--version"], text=True) if tool else "none"
    if not re.search(rf"version {CLANG_FORMAT}\.", version):
        print(f"skipped: needs clang-format {CLANG_FORMAT}, other versions format differently; here: {version}")
        sys.exit(77)
    files = list(sources(top, "daemon", "client", "dbus", "systemd", "tests"))
    for i in range(0, len(files), 50):
        run = subprocess.run(
            [tool, "--dry-run", "-Werror", *files[i : i + 50]], text=True, capture_output=True, check=False
        )
        yield from (line for line in run.stderr.splitlines() if "error:" in line)


def coroutines(top):
    # g++ 12 miscompiles these inside a full-expression with co_await (style rules): name it, move it, await it.
    bad = re.compile(r"co_await[^;]*(\{|&&|\|\||\[[^\]]*\w[^\]]*\]\s*\()")
    for path in sources(top, "daemon", "client", "systemd"):
        for statement in re.finditer(r"[^;{}]*co_await[^;]*;", path.read_text()):
            if bad.search(statement[0]):
                yield f"{path}: {' '.join(statement[0].split())[:100]}"


def manuals(top):
    for page in sorted(top.glob("*/*.[1-9]")):
        run = subprocess.run(
            ["groff", "-man" if ".TH" in page.read_text() else "-mdoc", "-Tutf8", "-ww", "-z", page],
            text=True, capture_output=True, check=False,
        )
        yield from run.stderr.splitlines()


def crash_points(top):
    # A point that no list of tests/crash names is one where nobody ever died.
    named = set()
    for path in sources(top, "tests/crash"):
        named |= set(re.findall(r'"([a-z]+\.[a-z-]+)"', path.read_text()))
    for path in sources(top, "daemon"):
        for point in re.findall(r'crash_point\(\s*"([^"]+)"', path.read_text()):
            if point not in named:
                yield f"{path}: no test in tests/crash dies at {point}"


def main():
    checks = {"layers": layers, "sizes": sizes, "licences": licences, "format": format_,
              "coroutines": coroutines, "manuals": manuals, "crash_points": crash_points}
    findings = list(checks[sys.argv[1]](pathlib.Path(sys.argv[2])))
    print("\n".join(findings) or "nothing found")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
