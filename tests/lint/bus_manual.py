#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bus_manual.py SOURCE [--write]: the manual org.cfsupdate1(5) is what the comments of dbus/*.xml say; with --write it
is made anew. Ends with 1 when it is not, or when a member has no comment."""
import inspect
import pathlib
import re
import sys
import xml.etree.ElementTree as ET

HEAD = r""".\" SPDX-License-Identifier: Apache-2.0
.\" Made by tests/lint/bus_manual.py from the comments of dbus/*.xml: change those.
.Dd November 22, 2026
.Dt ORG.CFSUPDATE1 5
.Os cfsupdated
.Sh NAME
.Nm org.cfsupdate1
.Nd the D-Bus interface of cfsupdated
.Sh DESCRIPTION
"""
TAIL = r""".Sh FILES
.Bl -tag -width Ds
.It Pa /usr/share/dbus-1/interfaces/org.cfsupdate1.*.xml
This page, for programs.
.It Pa /usr/share/dbus-1/system.d/org.cfsupdate1.conf
What reaches the daemon.
.It Pa /usr/share/polkit-1/actions/org.cfsupdate1.policy
Who may do what.
.El
.Sh EXAMPLES
What runs, and whether a restart is pending:
.Bd -literal -offset indent
busctl get-property org.cfsupdate1 /org/cfsupdate1 \e
    org.cfsupdate1.Manager Booted
busctl get-property org.cfsupdate1 /org/cfsupdate1 \e
    org.cfsupdate1.Manager RebootPending
.Ed
.Pp
Stage the newest image, and leave the restart to others:
.Bd -literal -offset indent
busctl call org.cfsupdate1 /org/cfsupdate1 \e
    org.cfsupdate1.Manager Update 'a{sv}' 1 finalize b false
.Ed
.Sh SEE ALSO
.Xr busctl 1 ,
.Xr cfsctl 1 ,
.Xr polkit 8 ,
.Xr cfsupdated 8
"""


def escaped(line):
    line = line.replace("\\", "\\e").replace('"', "\\(dq") if line.startswith((".", "'")) else line.replace("\\", "\\e")
    return "\\&" + line if line.startswith((".", "'")) else line


def prose(text):
    """Paragraphs, a sentence a line; what is indented stays as it is."""
    out = []
    for block in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        running, literal = [], []
        for line in block.split("\n"):
            (literal if line.startswith("  ") else running).append(line)
        if out:
            out.append(".Pp")
        sentences = re.sub(r"\s+", " ", " ".join(running)).strip()
        out += [escaped(part) for part in re.split(r"(?<=[a-z0-9)\"][.:]) (?=[A-Z\"])", sentences) if part]
        if literal:
            out += [".Bd -literal -compact", *(escaped(line.rstrip()) for line in literal), ".Ed"]
    return out


def arguments(member, direction):
    default = "out" if member.tag == "signal" else "in"
    return ", ".join(f"{arg.get('name')} {arg.get('type')}" for arg in member.findall("arg")
                     if arg.get("direction", default) == direction)


def title(member):
    name = member.get("name")
    if member.tag == "property":
        return f"{name} Pq Li {member.get('type')}"
    if member.tag == "signal":
        return f"{name} Pq Li {arguments(member, 'out')}"
    result = arguments(member, "out")
    call = f"{name} Pq Li {arguments(member, 'in')}" if arguments(member, "in") else name
    return call + (f" Li \\(-> {result}" if result else "")


def interface(path, problems):
    text = path.read_text()
    tree = ET.fromstring(text, ET.XMLParser(target=ET.TreeBuilder(insert_comments=True)))
    node = tree.find("interface")
    members = {"property": [], "method": [], "signal": []}
    comment = None
    for child in node:
        if child.tag is ET.Comment:
            comment = child.text
            continue
        if not comment:
            problems.append(f"{path.name}: {child.get('name')} has no comment")
        members[child.tag] += [f".It Sy {title(child)}", *prose(comment or "")]
        comment = None
    out = []
    for tag, heading in (("property", "Properties"), ("method", "Methods"), ("signal", "Signals")):
        if members[tag]:
            out += [f".Ss {heading} of {node.get('name')}", ".Bl -tag -width Ds", *members[tag], ".El"]
    # The last comment before the node is about all of it; its first paragraph says where the XML is from.
    about = re.findall(r"<!--(.*?)-->", text[:text.index("<node")], re.S)[-1]
    return about, out


def page(top, problems):
    about_manager, manager = interface(top / "dbus/org.cfsupdate1.Manager.xml", problems)
    about_job, job = interface(top / "dbus/org.cfsupdate1.Job.xml", problems)
    lines = [*prose(about_manager), ".Sh THE MANAGER", *manager, ".Sh JOBS", *prose(about_job), *job]
    return HEAD + "\n".join(lines) + "\n" + TAIL


def main():
    top = pathlib.Path(sys.argv[1])
    manual = top / "dbus/org.cfsupdate1.5"
    problems = []
    text = page(top, problems)
    if sys.argv[2:] == ["--write"]:
        manual.write_text(text)
    elif not manual.exists() or manual.read_text() != text:
        problems.append(f"dbus/{manual.name} is not what the XML says: run tests/lint/bus_manual.py . --write and read it")
    print("\n".join(problems) or "nothing found")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
