#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks config.json files against the JSON schema of the OCI runtime specification.

    validate_spec.py FILE...

The schema is the one of Debian's golang-github-opencontainers-specs-dev; references are resolved in its directory
only. The schema leaves open what it does not name, so members that it does not know at the top are errors too."""
import json
import os
import sys

from jsonschema import Draft4Validator, RefResolver

SCHEMA = "/usr/share/gocode/src/github.com/opencontainers/runtime-spec/schema"
TOP = "config-schema.json"


def load(uri):
    """A file of the schema, whatever the reference looks like; nothing else is read."""
    name = os.path.basename(uri)
    with open(os.path.join(SCHEMA, name), encoding="utf-8") as f:
        return json.load(f)


def main(files):
    schema = load(TOP)
    handlers = {scheme: load for scheme in ("", "file", "http", "https")}
    resolver = RefResolver("file:///" + TOP, schema, handlers=handlers)
    validator = Draft4Validator(schema, resolver=resolver)
    known = set(schema["properties"])
    bad = 0
    for path in files:
        with open(path, encoding="utf-8") as f:
            spec = json.load(f)
        errors = ["/".join(map(str, e.absolute_path)) + ": " + e.message
                  for e in validator.iter_errors(spec)]
        errors += [key + ": not a member of a spec" for key in spec if key not in known]
        for e in errors:
            print(f"{path}: {e[:400]}", file=sys.stderr)
        bad += bool(errors)
    return bad or not files


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
