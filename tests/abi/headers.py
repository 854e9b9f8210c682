# SPDX-License-Identifier: Apache-2.0
"""What the public headers declare. Shared by the checks in this folder."""
import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = TOP / "include" / "libctr"


def public_headers():
    return sorted(INCLUDE.rglob("*.h"))


def code(path):
    """The text of a C file without comments."""
    text = path.read_text()
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)


def declared():
    """{function: header} of everything marked CTR_API."""
    names = {}
    for header in public_headers():
        for m in re.finditer(r"\bCTR_API\b[^;{}]*?\b(ctr_\w+)\s*\(", code(header)):
            names[m.group(1)] = header
    return names


def in_map():
    """(names, duplicates) of the version map."""
    text = re.sub(r"#[^\n]*", "", (TOP / "lib" / "libctr.map").read_text())
    names = re.findall(r"\b([A-Za-z_]\w*)\s*;", text)
    return set(names), sorted({n for n in names if names.count(n) > 1})


def enum_values():
    """{constant: value} of all enums of the public headers."""
    values = {}
    for header in public_headers():
        for body in re.findall(r"\benum\s*\{(.*?)\}", code(header), flags=re.S):
            for name, value in re.findall(r"(\w+)\s*=\s*(-?\d+)", body):
                values[name] = int(value)
    return values


def errors_def():
    """[(name, number)] of lib/errors.def."""
    text = code(TOP / "lib" / "errors.def")
    return [(n, int(v)) for n, v in re.findall(r"CTR_ERROR\((\w+),\s*(-\d+),", text)]


def features_def():
    """The names in lib/features.def."""
    text = code(TOP / "lib" / "features.def")
    return re.findall(r'CTR_FEATURE\(\s*"([^"]+)"', text)


class Report:
    """Collects complaints; its exit status says whether there were any."""

    def __init__(self):
        self.failures = 0

    def fail(self, text):
        self.failures += 1
        print("FAIL:", text)

    def expect(self, ok, text):
        if not ok:
            self.fail(text)

    def end(self, summary):
        if self.failures:
            print(f"{self.failures} complaint(s)")
            raise SystemExit(1)
        print("ok:", summary)
