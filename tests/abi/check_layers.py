#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rooms of lib/ stay what lib/README.md says they are.

Includes go down only; each foreign library has one room; no file grows without end.
"""
import re

import headers

LIB = headers.TOP / "lib"

# Which rooms a file of a room may include headers from, beside its own.
BELOW = ["sys", "util"]
MAY_INCLUDE = {
    "util": [],
    "sys": ["util"],
    "lock": BELOW,
    "config": BELOW + ["spec"],  # the builder asks for a default spec
    "spec": BELOW + ["config"],
    "event": BELOW + ["config"],
    "oci": BELOW,
    "storage": BELOW,
    "net": BELOW,
    "stream": BELOW,
    "log": BELOW,
    "store": BELOW + ["config", "event", "lock"],
}
# Not the library but a program that uses it: public headers only, and it may do what a program may.
PROGRAMS = ["helper"]

MAY_INCLUDE["core"] = sorted(MAY_INCLUDE)
MAY_INCLUDE["api"] = sorted(MAY_INCLUDE)

# Foreign headers: where each may be included.
FOREIGN = [
    (r"lmdb\.h", r"store/.*"),
    (r"yajl/.*", r"util/json[a-z_]*\.c"),
    (r"sys/capability\.h", r"sys/caps\.c"),
    (r"selinux/.*", r"sys/selinux_load\.[ch]"),
    (r"systemd/.*", r"log/journal_load\.h"),
    (r"cmocka\.h", r"(?!)"),
]

# Calls: where each may stand.
CALLS = [
    (r"\b(?:clone3?|SYS_clone3?|__NR_clone3?|v?fork|posix_spawnp?)\b\s*[(,)]", r"sys/spawn[a-z_]*\.c"),
    (r"\bassert\s*\(", r"(?!)"),
    (r"\b(?:printf|puts|perror|vprintf)\s*\(", r"(?!)"),
    (r"\bf(?:printf|puts)\s*\(\s*std(?:err|out)", r"(?!)"),
]

LINES_GOAL, LINES_MOST = 600, 700


def includes(text):
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', text, flags=re.M)


def check_includes(report, name, room, text):
    for inc in includes(text):
        other = inc.split("/")[0]
        if other in MAY_INCLUDE and "/" in inc and (LIB / inc).exists():
            report.expect(other == room or other in MAY_INCLUDE[room],
                          f"{name} includes {inc}: {room} must not know {other}")
        for pattern, place in FOREIGN:
            if re.fullmatch(pattern, inc):
                report.expect(re.fullmatch(place, name), f"{name} includes {inc}")


def check_program(report, name, text):
    for inc in includes(text):
        report.expect(not (LIB / inc).exists(), f"{name} includes {inc}: it must use the public API")


def check_calls(report, name, text):
    text = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)
    for pattern, place in CALLS:
        for m in re.finditer(pattern, text):
            report.expect(re.fullmatch(place, name), f"{name} uses {m.group(0).strip()}")


def main():
    report = headers.Report()
    files = sorted(p for p in LIB.rglob("*") if p.suffix in (".c", ".h"))
    for path in files:
        name = str(path.relative_to(LIB))
        room = name.split("/")[0]
        if room in PROGRAMS:
            check_program(report, name, headers.code(path))
            continue
        if room not in MAY_INCLUDE:
            report.fail(f"lib/{name} is in no known room")
            continue
        text = headers.code(path)
        check_includes(report, name, room, text)
        check_calls(report, name, text)
        lines = path.read_text().count("\n")
        if lines > LINES_GOAL:
            print(f"note: lib/{name} has {lines} lines: time to split it")
        report.expect(lines <= LINES_MOST, f"lib/{name} has {lines} lines: split it")
    report.end(f"{len(files)} files")


main()
