#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_schema.py SCHEMA CFSCTL DAEMON: what cfsctl --json prints about a real service is what the schema file says, no
member more and none less; the schema's own "later versions add" is for readers."""
import json
import pathlib
import subprocess
import sys
import tempfile
import time

try:
    import jsonschema
except ImportError:
    print("skipped: needs python3-jsonschema")
    sys.exit(77)

BUS = """<busconfig><listen>unix:path={}</listen><auth>EXTERNAL</auth><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""
# Verb, the definition that its output is, and how it ends.
VERBS = [
    (["status"], "status", 0),
    (["check"], "check", 0),
    (["check", "--image", "none"], "check", 2),
    (["update", "--image", "new"], "update", 0),
    (["update", "--image", "none"], "update", 2),
    (["update", "--image", "policy"], "error", 5),
    (["finalize"], "error", 3),
    (["rollback"], "next", 0),
    (["gc", "--dry-run"], "collect", 0),
    (["remove", "1"], "collect", 0),
    (["pin", "1"], "pin", 0),
    (["unpin", "none"], "pin", 2),
    (["verify"], "verify", 0),
    (["verify", "--full"], "verify", 1),
    (["repair"], "repair", 0),
    (["etc", "diff"], "etc", 0),
    (["etc", "preview"], "etc", 0),
    (["etc", "preview", "--diff"], "etc", 0),
    (["etc", "restore", "/etc/x"], "restored", 0),
    (["history"], "history", 0),
    (["pending"], "pending", 2),
    (["report", "-o", "/dev/null"], "report", 0),
    (["cancel"], "error", 3),
]


def closed(schema):
    """The same schema, in which an object has no other members."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: closed(value) for key, value in schema.items()}
    if "properties" in out:
        out["additionalProperties"] = False
    return out


class Judge:
    def __init__(self, path):
        self.schema = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(self.schema)
        self.strict = closed(self.schema["$defs"])
        self.seen = set()

    def problems(self, name, text):
        self.seen.add(name)
        validator = jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": self.strict})
        return [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(json.loads(text))]

    def require(self, name, text, where):
        found = self.problems(name, text)
        if found:
            sys.exit(f"{where} is no {name}:\n" + "\n".join(found) + "\n" + text)
        jsonschema.Draft202012Validator(self.schema).validate(json.loads(text))

    def must_bite(self, name, text):
        whole = json.loads(text)
        missing, more, wrong = dict(whole), dict(whole, surprise=1), dict(whole, schema="1")
        del missing[next(reversed(whole))]
        for broken in (missing, more, wrong):
            if not self.problems(name, json.dumps(broken)):
                sys.exit(f"the schema accepts a broken {name}: {broken}")


def main():
    schema, cfsctl, program = sys.argv[1:]
    judge = Judge(schema)
    with tempfile.TemporaryDirectory() as top:
        address = f"unix:path={top}/bus"
        pathlib.Path(top, "bus.conf").write_text(BUS.format(f"{top}/bus"), encoding="ascii")
        pathlib.Path(top, "c.toml").write_text('image = "new"\n', encoding="ascii")
        client = [cfsctl, "--bus", address, "--json"]
        bus = subprocess.Popen(["dbus-daemon", f"--config-file={top}/bus.conf", "--nofork", "--print-address"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        bus.stdout.readline()
        daemon = subprocess.Popen([program, "--config", f"{top}/c.toml", "--bus", address], stderr=subprocess.PIPE, text=True)
        try:
            while "is ready" not in (line := daemon.stderr.readline()):
                if not line:
                    sys.exit("the daemon does not start")
            monitor = subprocess.Popen([*client, "monitor"], stdout=subprocess.PIPE, text=True)
            first = monitor.stdout.readline()
            for verb, name, code in VERBS:
                ended = subprocess.run([*client, *verb], check=False, capture_output=True, text=True)
                if ended.returncode != code:
                    sys.exit(f"'{' '.join(verb)}' ended with {ended.returncode}, not {code}: {ended.stdout}{ended.stderr}")
                judge.require(name, ended.stdout, f"'{' '.join(verb)}'")
                judge.must_bite(name, ended.stdout)
            time.sleep(0.5)
            monitor.terminate()
            lines = [first, *monitor.communicate()[0].splitlines()]
        finally:
            daemon.kill()
            bus.kill()
    for line in lines:
        judge.require(f"{json.loads(line)['event']}_event", line, "a line of monitor")
    if not {"job_event", "state_event"} <= judge.seen:
        sys.exit("monitor printed no events")
    print(f"schema: {len(VERBS)} verbs, {len(lines)} events")


if __name__ == "__main__":
    main()
