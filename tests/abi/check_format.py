#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All C files look as .clang-format says and start with the licence line."""
import subprocess

import headers

FOLDERS = ["include", "lib", "tests", "examples", "pkgconfig"]


def main():
    report = headers.Report()
    files = [p for f in FOLDERS for p in sorted((headers.TOP / f).rglob("*"))
             if p.suffix in (".c", ".h")]
    for path in files:
        name = path.relative_to(headers.TOP)
        with path.open() as f:
            report.expect(f.readline().strip() == "/* SPDX-License-Identifier: Apache-2.0 */",
                          f"{name}: first line is not the licence line")
    result = subprocess.run(["clang-format", "--dry-run", "-Werror", *map(str, files)],
                            capture_output=True, text=True)
    report.expect(result.returncode == 0, "clang-format -i would change:\n" + result.stderr)
    report.end(f"{len(files)} files")


main()
