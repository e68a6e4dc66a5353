#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""openmetrics.py FILE...: reads OpenMetrics text strictly, after the grammar of the specification 1.0.0 as far as gauges
and counters go, and as Prometheus' text format 0.0.4 has it, too; prints the samples as JSON. --self-test: it refuses
what is wrong. Written against the specification, not against what writes the files."""
import json
import re
import sys

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
SUFFIXES = {"gauge": [""], "counter": ["_total", "_created"]}


class Wrong(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Wrong(what)


def labels_of(text):
    out, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        need(match, f"no label at: {text[at:]}")
        need(match[1] not in out, f"a label twice: {match[1]}")
        out[match[1]] = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], match[2])
        at = match.end()
        if at < len(text):
            need(text[at] == "," and at + 1 < len(text), f"no comma at: {text[at:]}")
            at += 1
    return out


def split_sample(line):
    """Name, text between the braces, value."""
    name = NAME.match(line)
    need(name, f"no name: {line}")
    rest, labels = line[name.end():], ""
    if rest.startswith("{"):
        body = re.match(r'\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\}', rest)
        need(body, f"an open brace: {line}")
        labels, rest = body[1], rest[body.end():]
    need(rest.startswith(" ") and NUMBER.fullmatch(rest[1:]), f"one space and a number: {line}")
    return name[0], labels, float(rest[1:])


class Reader:
    def __init__(self):
        self.families, self.current, self.samples = {}, None, []

    def metadata(self, line):
        match = re.fullmatch(r"# (TYPE|UNIT|HELP) ([^ ]+) (.+)", line)
        need(match, f"no metadata: {line}")
        kind, name, text = match.groups()
        need(NAME.fullmatch(name), f"no name: {line}")
        if self.current is None or self.current["name"] != name:
            need(name not in self.families, f"families are interleaved or there twice: {name}")
            self.current = self.families[name] = {"name": name, "TYPE": None, "sampled": set()}
        need(not self.current["sampled"], f"metadata after samples: {line}")
        need(not self.current.get(kind), f"metadata twice: {line}")
        self.current[kind] = text
        if kind == "TYPE":
            # Prometheus' older format knows no info and no stateset.
            need(text in SUFFIXES, f"a type that not both formats have: {text}")
            for suffix in ("_total", "_created", "_bucket", "_count", "_sum", "_info"):
                need(not name.endswith(suffix), f"a reserved ending: {name}")
        if kind == "UNIT":
            need(name.endswith("_" + text), f"the name does not end with its unit: {name}")

    def sample(self, line):
        name, text, value = split_sample(line)
        family = self.current
        need(family and family["TYPE"], f"a sample without its family's type: {line}")
        need(name in [family["name"] + suffix for suffix in SUFFIXES[family["TYPE"]]], f"not of this family: {line}")
        need(family["TYPE"] != "counter" or value >= 0, f"a counter below 0: {line}")
        labels = labels_of(text)
        key = (name, tuple(sorted(labels.items())))
        need(key not in family["sampled"], f"a sample twice: {line}")
        family["sampled"].add(key)
        self.samples.append({"name": name, "labels": labels, "value": value})


def read(data):
    text = data.decode("utf-8")
    need("\r" not in text and "\0" not in text, "a control character")
    need(text.endswith("# EOF\n"), "no '# EOF' at the end")
    reader = Reader()
    for line in text[:-len("# EOF\n")].split("\n")[:-1] if text != "# EOF\n" else []:
        need(line != "" and line != "# EOF", f"an empty line, or an end before the end")
        (reader.metadata if line.startswith("#") else reader.sample)(line)
    return reader.samples


GOOD = b'# TYPE a gauge\n# HELP a x\na{b="c\\\\\\"\\n",d=""} 1\n# TYPE n counter\nn_total 3\n# EOF\n'
BAD = [
    GOOD[:-6], GOOD + b"\n", GOOD.replace(b"# EOF", b"#EOF"), b"# EOF\n" + GOOD, GOOD.replace(b'\\"', b'"'),
    GOOD.replace(b"\\n", b"\n"), GOOD.replace(b"\\\\", b"\\x"), GOOD.replace(b"n_total 3", b"n 3"), GOOD.replace(b" 3", b" -3"),
    GOOD.replace(b"n_total 3", b"n_total 3\nn_total 3"), GOOD.replace(b"n_total 3", b"n_total 3\na 2"),
    GOOD.replace(b"# TYPE n counter\n", b""), GOOD.replace(b"TYPE n counter", b"TYPE n info"), GOOD.replace(b" 3", b"  3"),
    GOOD.replace(b" 3", b" three"), GOOD.replace(b"a x", b"a x\n# UNIT a bytes"), GOOD.replace(b"d=", b"b="),
    GOOD.replace(b",d", b" d"), GOOD.replace(b'=""', b'="",'), GOOD.replace(b"# TYPE n", b"\n# TYPE n"),
    GOOD.replace(b"# HELP a x\n", b"# HELP a x\n# HELP a x\n"), GOOD.replace(b"c\\", b"\xff\\"),
    GOOD.replace(b"# TYPE n", b"# TYPE a gauge\n# TYPE n"),
]


def self_test():
    expected = [{"name": "a", "labels": {"b": 'c\\"\n', "d": ""}, "value": 1.0}, {"name": "n_total", "labels": {}, "value": 3.0}]
    if read(GOOD) != expected:
        sys.exit(f"good text is read as {read(GOOD)}")
    for bad in BAD:
        try:
            read(bad)
        except (Wrong, UnicodeDecodeError):
            continue
        sys.exit(f"taken for good: {bad}")
    print(f"{len(BAD)} bad texts are refused")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            print(json.dumps(read(file.read())))
    return None


if __name__ == "__main__":
    main()
