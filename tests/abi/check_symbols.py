#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Declared in the headers == listed in lib/libctr.map == exported by the library.

Usage: check_symbols.py libctr.so
"""
import subprocess
import sys

import headers


def exported(library):
    """{name: (type, version)} of the dynamic symbols that the library defines."""
    out = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions", library],
                         check=True, capture_output=True, text=True).stdout
    symbols = {}
    for line in out.splitlines():
        fields = line.split()
        kind, name = fields[-2], fields[-1]
        if kind == "A":  # the version node itself
            continue
        name, _, version = name.partition("@@")
        symbols[name] = (kind, version)
    return symbols


def main():
    report = headers.Report()
    declared = headers.declared()
    mapped, twice = headers.in_map()
    have = exported(sys.argv[1])

    for name in twice:
        report.fail(f"{name} is in libctr.map twice")
    for name in sorted(set(declared) - mapped):
        report.fail(f"{name} is declared in {declared[name].name} but not in libctr.map")
    for name in sorted(mapped - set(declared)):
        report.fail(f"{name} is in libctr.map but in no public header")
    for name in sorted(mapped - set(have)):
        report.fail(f"{name} is in libctr.map but the library does not define it")
    for name in sorted(set(have) - mapped):
        report.fail(f"{name} is exported but not in libctr.map")
    for name, (kind, version) in sorted(have.items()):
        report.expect(kind == "T", f"{name} is exported as '{kind}': only functions may be")
        report.expect(version.startswith("LIBCTR_"), f"{name} has the version '{version}'")
    report.end(f"{len(declared)} functions")


main()
