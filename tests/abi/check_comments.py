#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every public function has a comment of its own right above it, which names it and says since when it exists."""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
COMMENT = r'/\*(?:(?!\*/).)*\*/'


def complaints():
    for path in sorted((TOP / 'include').rglob('*.h')):
        text = path.read_text()
        for m in re.finditer(r'^CTR_API\b[^;]*?(\w+)\(', text, re.M):
            above = re.search(f'({COMMENT})\n$', text[:m.start()], re.S)
            if not above:
                yield f'{path.name}: {m.group(1)} has no comment right above it'
            elif m.group(1) not in above.group(1) or 'Since:' not in above.group(1):
                yield f'{path.name}: the comment of {m.group(1)} does not name it or lacks "Since:"'


found = list(complaints())
print('\n'.join(found) or 'ok')
sys.exit(bool(found))
