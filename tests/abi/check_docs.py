#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tables in docs/ say what the sources say, links lead somewhere, and parity.tsv is true.

With --write the tables are made anew: the text between "<!-- table NAME -->" and "<!-- end -->".
"""
import fnmatch
import re
import subprocess
import sys

import headers

DOCS = headers.TOP / "docs"


def rows(head, lines):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(out + ["| " + " | ".join(line) + " |" for line in lines])


def table_errors():
    text = (headers.TOP / "lib" / "errors.def").read_text()
    found = re.findall(r'CTR_ERROR\((\w+),\s*(-\d+),\s*"([^"]*)"\)', text)
    comments = dict(re.findall(r"CTR_E_(\w+) = -\d+,?\s*/\*\s*(.*?)\s*\*/",
                               (headers.INCLUDE / "error.h").read_text()))
    return rows(["code", "number", "default text", "when"],
                [[f"`CTR_E_{n}`", v, t, comments.get(n, "")] for n, v, t in found])


def table_features():
    text = headers.code(headers.TOP / "lib" / "features.def")
    found = re.findall(r'CTR_FEATURE\(\s*"([^"]*)",\s*"([^"]*)"\)', text)
    return rows(["feature", "what it says"], [[f"`{n}`", d] for n, d in found])


TABLES = {"errors": table_errors, "features": table_features}
MARK = re.compile(r"(<!-- table (\w+) -->\n)(.*?)(<!-- end -->)", re.S)


def check_tables(report, write):
    seen = set()
    for path in sorted(DOCS.glob("*.md")):
        text = path.read_text()
        seen.update(m.group(2) for m in MARK.finditer(text))
        now = MARK.sub(lambda m: m.group(1) + TABLES[m.group(2)]() + "\n" + m.group(4), text)
        if write and now != text:
            path.write_text(now)
        elif now != text:
            report.fail(f"{path.name}: a table is out of date; run tests/abi/check_docs.py --write")
    for name in sorted(set(TABLES) - seen):
        report.fail(f"the table of {name} is nowhere in docs/")


def check_links(report):
    pages = sorted(DOCS.glob("*.md")) + [headers.TOP / "README.md", headers.TOP / "lib" / "README.md"]
    for page in pages:
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if not link.startswith("http"):
                report.expect((page.parent / link).exists(), f"{page.name}: {link} does not exist")
    index = (DOCS / "README.md").read_text()
    for page in sorted(DOCS.iterdir()):
        if page.suffix in (".md", ".tsv") and page.name != "README.md":
            report.expect(f"({page.name})" in index, f"docs/README.md does not list {page.name}")


def check_symbols_in_prose(report):
    """Functions that the documentation names exist."""
    known = set(headers.declared())
    known.update(re.findall(r"\b(ctr_\w+)\b", "".join(h.read_text() for h in headers.public_headers())))
    for page in sorted(DOCS.glob("*.md")) + [headers.TOP / "README.md"]:
        for name in set(re.findall(r"\b(ctr_[a-z_]+[a-z])\(", page.read_text())):
            report.expect(name in known, f"{page.name} names {name}(), which does not exist")
        for name in set(re.findall(r"\b(CTR_(?:E|STATE|CONFIG|SPEC|EVENT|OCI)_[A-Z_]+[A-Z])\b",
                                   page.read_text())):
            report.expect(name in known or any(name in h.read_text() for h in headers.public_headers()),
                          f"{page.name} names {name}, which does not exist")


def check_readme_program(report):
    """The program in README.md compiles."""
    for program in re.findall(r"```c\n(#include.*?)```", (headers.TOP / "README.md").read_text(), re.S):
        result = subprocess.run(
            ["gcc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c",
             "-I", str(headers.TOP / "include"), "-"], input=program, capture_output=True, text=True)
        report.expect(result.returncode == 0, "README.md's program:\n" + result.stderr)


def check_bench_rows(report):
    """docs/performance.md explains every row of the benchmark."""
    rows = re.findall(r'{"[a-z-]+",\s*"([^"]+)",\s*section_\w+',
                      (headers.TOP / "tests" / "bench" / "bench.c").read_text())
    named = re.findall(r"`([a-z0-9_.*]+)`", "".join(
        re.findall(r"^\|[^|]*\|", (DOCS / "performance.md").read_text(), re.M)))
    report.expect(rows != [], "bench.c: no rows were found")
    for row in {word for words in rows for word in words.split()}:
        report.expect(any(fnmatch.fnmatchcase(row, name) for name in named),
                      f"performance.md does not explain the row {row}")


def check_examples(report):
    """Each is one idea, short enough to be read at once; a server of HTTP needs a little more."""
    for path in sorted((headers.TOP / "examples").glob("*.[cp]*")):
        lines = path.read_text().count("\n")
        most = 200 if path.name == "attach_server.c" else 100
        report.expect(lines < most, f"examples/{path.name} has {lines} lines, not under {most}")


def test_exists(name):
    """A path, or path:name where the file mentions the name."""
    path, _, word = name.partition(":")
    file = headers.TOP / path
    return file.is_file() and word in file.read_text()


def check_parity(report):
    """kind, name, C symbols, test: or `later` in place of the last two."""
    declared, constants = headers.declared(), headers.enum_values()
    defines = set(re.findall(r"#define\s+(CTR_\w+)", "".join(
        h.read_text() for h in headers.public_headers())))
    later = 0
    seen = set()
    for n, line in enumerate((DOCS / "parity.tsv").read_text().splitlines(), 1):
        if line.startswith("#"):
            continue
        fields = line.split("\t")
        report.expect(len(fields) in (3, 4), f"parity.tsv:{n}: {len(fields)} fields")
        report.expect(tuple(fields[:2]) not in seen, f"parity.tsv:{n}: {fields[:2]} is there twice")
        seen.add(tuple(fields[:2]))
        if fields[2] == "later":
            later += 1
            continue
        for symbol in fields[2].split(","):
            report.expect(symbol in declared or symbol in constants or symbol in defines,
                          f"parity.tsv:{n}: {symbol} does not exist")
        report.expect(len(fields) == 4 and test_exists(fields[3]),
                      f"parity.tsv:{n}: there is no test {fields[3:]}")
    # Beside the project, where its list of items is kept.
    seeds = headers.TOP.parent / "shared" / "parity" / "seeds.tsv"
    if seeds.is_file():
        wanted = {tuple(l.split("\t")) for l in seeds.read_text().splitlines()
                  if l and not l.startswith("#")}
        for item in sorted(wanted - seen):
            report.fail(f"parity.tsv does not have {item}")
        for item in sorted(seen - wanted):
            report.fail(f"parity.tsv has {item}, which is not asked for")
    return len(seen), later


def main():
    report = headers.Report()
    check_tables(report, "--write" in sys.argv)
    check_links(report)
    check_symbols_in_prose(report)
    check_readme_program(report)
    check_bench_rows(report)
    check_examples(report)
    items, later = check_parity(report)
    report.end(f"{len(TABLES)} tables, {items} items of parity, {later} of them later")


main()
