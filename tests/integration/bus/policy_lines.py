#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""policy_lines.py FILE: a line per action of a polkit policy file, sorted: its id and for whom it is allowed, as any,
inactive and active users. Complains about an action that says nothing to people, or that is there twice."""
import sys
import xml.etree.ElementTree as ET

lines = {}
for action in ET.parse(sys.argv[1]).getroot().findall("action"):
    name = action.get("id")
    for text in ("description", "message"):
        if len((action.findtext(text) or "").split()) < 3:
            sys.exit(f"{name}: its {text} is no sentence")
    if name in lines:
        sys.exit(f"{name} is there twice")
    lines[name] = " ".join(action.findtext(f"defaults/allow_{who}") for who in ("any", "inactive", "active"))
print("\n".join(f"{name} {lines[name]}" for name in sorted(lines)))
