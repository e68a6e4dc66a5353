#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""interface_lines.py INTERFACE FILE: one line per member of a D-Bus introspection file, sorted, so that two
descriptions of one interface compare as text. Annotations for code generators are no part of it."""
import sys
import xml.etree.ElementTree as ET

EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"


def args(member, direction):
    return ", ".join(
        f"{arg.get('name')}:{arg.get('type')}"
        for arg in member.findall("arg")
        if arg.get("direction", "out" if member.tag == "signal" else "in") == direction
    )


def line(member):
    name = member.get("name")
    if member.tag == "method":
        return f"method {name}({args(member, 'in')}) -> ({args(member, 'out')})"
    if member.tag == "signal":
        return f"signal {name}({args(member, 'out')})"
    emits = {note.get("name"): note.get("value") for note in member.findall("annotation")}.get(EMITS, "true")
    return f"property {name}:{member.get('type')} {member.get('access')} emits={emits}"


name, path = sys.argv[1:]
interface = ET.parse(path).getroot().find(f"interface[@name='{name}']")
members = interface.findall("method") + interface.findall("signal") + interface.findall("property")
print("\n".join(sorted(map(line, members))))
