#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the ABI of a library as text: baseline.py libctr.so OUT.

What abidw says of it, cut down to what a program can see: the exported functions and the types that
they lead to, with the library's own structures opaque as they are in the headers. (abidw --headers-dir
would do that, if it did not take lib/config/config.h for include/libctr/config.h.)
"""
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import headers

REFERENCES = ("type-id", "naming-typedef-id", "def-of-decl-id")


def opaque_types():
    text = "".join(headers.code(header) for header in headers.public_headers())
    return set(re.findall(r"\bstruct (\w+)\b", text)) - set(re.findall(r"\bstruct (\w+)\s*\{", text))


def check_debug_info(library):
    out = subprocess.run(["readelf", "-S", "-W", library], check=True, capture_output=True,
                         text=True).stdout
    if ".debug_info" not in out:
        sys.exit(f"{library} has no debug information: abidw would see no types")


def hide_opaque(root):
    names = opaque_types()
    for e in root.iter("class-decl"):
        if e.get("name") in names:
            for child in list(e):
                e.remove(child)
            e.text = None
            e.attrib.pop("size-in-bits", None)
            e.set("is-declaration-only", "yes")


def exported(e):
    return e.tag in ("function-decl", "var-decl") and e.get("elf-symbol-id")


def references(e):
    return {x.get(r) for x in e.iter() for r in REFERENCES if x.get(r)}


def keep_reachable(root):
    units = root.findall("abi-instr")
    by_id = {}
    for unit in units:
        for e in unit:
            if e.get("id"):
                by_id.setdefault(e.get("id"), []).append(e)
    reached = set()
    todo = {r for unit in units for e in unit if exported(e) for r in references(e)}
    while todo:
        one = todo.pop()
        reached.add(one)
        for e in by_id.get(one, []):
            todo |= references(e) - reached
    for unit in units:
        for e in list(unit):
            if not exported(e) and e.get("id") not in reached:
                unit.remove(e)
        if len(unit) == 0:
            root.remove(unit)


def main():
    library, out = sys.argv[1:]
    check_debug_info(library)
    text = subprocess.run(
        ["abidw", "--exported-interfaces-only", "--no-show-locs", "--no-comp-dir-path",
         "--no-corpus-path", "--no-elf-needed", library],
        check=True, capture_output=True, text=True).stdout
    root = ET.fromstring(text)
    hide_opaque(root)
    keep_reachable(root)
    for unit in root.findall("abi-instr"):
        # Where the library was built is nobody's ABI.
        unit.set("path", re.sub(r"^.*/lib/", "lib/", unit.get("path")))
    ET.indent(root)
    ET.ElementTree(root).write(out, encoding="unicode")


main()
