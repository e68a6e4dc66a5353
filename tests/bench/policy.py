# SPDX-License-Identifier: Apache-2.0
"""A real SELinux policy's expressions, and the paths of a real system, for tests/bench/image."""
import hashlib
import os
import re
import subprocess

CONTEXT = re.compile(r"((?:HOME_DIR)?/\S+)\s+(-[-dlcbps])?\s*(?:gen_context\((\w+:\w+:\w+),|(<<none>>))")
PLAIN_PATH = re.compile(r"[-\w.+:@/,~%]+", re.ASCII)


def write_contexts(where, out):
    """As file_contexts: what Debian's package selinux-policy-src gives paths. Returns how many lines."""
    where.mkdir(parents=True, exist_ok=True)
    if not list(where.glob("*.deb")):
        subprocess.run(["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", "selinux-policy-src"],
                       cwd=where, check=True)
    subprocess.run(["dpkg-deb", "-x", next(where.glob("*.deb")), where / "root"], check=True)
    sources = next((where / "root").rglob("*.tar.*"))
    subprocess.run(["tar", "-xaf", sources, "-C", where], check=True)
    lines = []
    for file in sorted(where.rglob("*.fc")):
        for found in filter(None, map(CONTEXT.match, file.read_text().splitlines())):
            path, kind, context, none = found.groups()
            lines.append(f"{path.replace('HOME_DIR', '/home/[^/]+')}\t{kind or ''}\t{none or context + ':s0'}\n")
    out.write_text("".join(lines))
    return len(lines)


def entries(folder):
    """What lies below a folder, parents first: path and whether it is a directory, a link or else a file."""
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        if not PLAIN_PATH.fullmatch(entry.path):
            continue
        is_dir = entry.is_dir(follow_symlinks=False)
        yield entry.path, "d" if is_dir else "l" if entry.is_symlink() else "f"
        if is_dir:
            yield from entries(entry.path)


def write_paths(out, most):
    """A dump of at most `most` paths of this system; contents are made up. Returns how many."""
    rest = {"d": "4096 40755 2 0 0 0 0.0 - - -", "l": "6 120777 1 0 0 0 0.0 target - -"}
    with open(out, "w", encoding="ascii") as dump:
        dump.write(f"/ {rest['d']}\n")
        count = 1
        for top in ("/etc", "/usr"):
            dump.write(f"{top} {rest['d']}\n")
            count += 1
            for path, kind in entries(top):
                if count == most:
                    return count
                digest = hashlib.sha256(path.encode()).hexdigest()
                file = f"100 100644 1 0 0 0 0.0 {digest[:2]}/{digest[2:]} - {digest}"
                dump.write(f"{path} {rest.get(kind, file)}\n")
                count += 1
    return count
