#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The single sources of truth and what repeats them for the reader agree.

lib/errors.def with error.h, lib/config/fields.def with config.h.
"""
import re

import headers


def compare(report, what, truth, shown):
    for name in sorted(set(truth) | set(shown)):
        report.expect(truth.get(name) == shown.get(name),
                      f"{name} is {truth.get(name)} in {what} and {shown.get(name)} in the header")


def main():
    report = headers.Report()
    enums = headers.enum_values()

    errors = headers.errors_def()
    compare(report, "errors.def", {"CTR_E_" + n: v for n, v in errors},
            {n: v for n, v in enums.items() if n.startswith("CTR_E_")})
    numbers = [v for _, v in errors]
    report.expect(len(set(numbers)) == len(numbers), "a number is used twice in errors.def")

    text = headers.code(headers.TOP / "lib" / "config" / "fields.def")
    fields = {"CTR_CONFIG_" + n: int(v) for n, v in re.findall(r"CTR_FIELD\((\w+),\s*(\d+),", text)}
    compare(report, "fields.def", fields,
            {n: v for n, v in enums.items() if n.startswith("CTR_CONFIG_")})
    report.end(f"{len(errors)} codes, {len(fields)} fields")


main()
