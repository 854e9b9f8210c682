#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each public header compiles alone, in a given language standard, without a warning.

Usage: check_headers.py COMPILER STANDARD      e.g. check_headers.py clang c99
"""
import subprocess
import sys

import headers

CPP = {"gcc": "g++", "clang": "clang++"}


def main():
    compiler, standard = sys.argv[1:]
    cxx = standard.startswith("c++")
    report = headers.Report()
    for header in headers.public_headers():
        name = header.relative_to(headers.TOP / "include")
        # Twice, because of the include guard; and used, so that it is really read.
        program = f"#include <{name}>\n#include <{name}>\nint main(void);\nint main(void) {{ return 0; }}\n"
        result = subprocess.run(
            [CPP[compiler] if cxx else compiler, f"-std={standard}", "-x", "c++" if cxx else "c",
             "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
             "-I", str(headers.TOP / "include"), "-"],
            input=program, capture_output=True, text=True)
        report.expect(result.returncode == 0, f"{name}:\n{result.stderr}")
    report.end(f"{compiler} -std={standard}")


main()
