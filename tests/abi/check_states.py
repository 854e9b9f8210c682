#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/states.md is made from lib/core/transitions.def. Compares the two; --update writes the page."""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
PAGE = TOP / 'docs' / 'states.md'
STATES = ['unknown', 'configured', 'created', 'running', 'stopped', 'paused', 'exited', 'removing', 'stopping']
WORDS = {'GO': 'yes', 'NO': '-', 'RN': 'running', 'ST': 'ended', 'NP': 'nothing to do'}

HEAD = '''# States and operations

Which state allows which operation. This page is made from `lib/core/transitions.def`, the table that the library
itself uses (`python3 tests/abi/check_states.py --update`), and every cell is one case of `tests/api/test_states.c`.

- **yes**: allowed. **-**: refused with `CTR_E_CTR_STATE`. **running**: refused with `CTR_E_CTR_RUNNING`.
  **ended**: refused with `CTR_E_CTR_STOPPED`. **nothing to do**: succeeds and changes nothing.
- A refused operation carries the details `container`, `state` and `operation`, and changes nothing. The one
  exception: a refused `stop` still records that the user wanted the container to stop.
- `unmount` looks at the uses, too: the mount that a created, running, paused, stopping or stopped container needs
  itself is not taken away (`CTR_E_CTR_STATE`).

'''

TAIL = '''
## Words

`ctr_state_name()` gives today's podman words, in which "created" is what this page calls configured and
"initialized" what it calls created.

| number | constant | word | meaning |
|---|---|---|---|
| 0 | `CTR_STATE_UNKNOWN` | unknown | not read, or an error |
| 1 | `CTR_STATE_CONFIGURED` | created | stored, nothing else |
| 2 | `CTR_STATE_CREATED` | initialized | created in the OCI runtime, storage mounted, not started |
| 3 | `CTR_STATE_RUNNING` | running | the command runs |
| 4 | `CTR_STATE_STOPPED` | stopped | ended; the runtime still knows it, storage is mounted |
| 5 | `CTR_STATE_PAUSED` | paused | frozen |
| 6 | `CTR_STATE_EXITED` | exited | ended and cleaned up |
| 7 | `CTR_STATE_REMOVING` | removing | a removal began; only removal is possible |
| 8 | `CTR_STATE_STOPPING` | stopping | a stop is under way |

## How states change

```
create -> configured --init--> created --start--> running <--pause/unpause--> paused
                                 |                  |
                                 +-------stop-------+--> stopping --> stopped --cleanup--> exited --init--> created
                                                    +--(exit is recorded)--> stopped
created --cleanup--> configured          any --remove--> removing --> gone
```

After a reboot, or when the run root was lost, a container that had ever been started is exited, with the exit code and
times it had; any other is configured.
'''


def rows():
    text = (TOP / 'lib/core/transitions.def').read_text()
    for m in re.finditer(r'^CTR_OP\(\w+,\s*"([^"]+)",\s*([A-Z, ]+)\)', text, re.M):
        cells = [c.strip() for c in m.group(2).split(',')]
        assert len(cells) == len(STATES), m.group(0)
        yield m.group(1), [WORDS[c] for c in cells]


def page():
    lines = ['| operation | ' + ' | '.join(STATES) + ' |', '|---' * (len(STATES) + 1) + '|']
    lines += [f'| {word} | ' + ' | '.join(cells) + ' |' for word, cells in rows()]
    return HEAD + '\n'.join(lines) + '\n' + TAIL


def main():
    if sys.argv[1:] == ['--update']:
        PAGE.write_text(page())
        return 0
    if PAGE.read_text() != page():
        print('docs/states.md is not what lib/core/transitions.def says: run', sys.argv[0], '--update')
        return 1
    return 0


sys.exit(main())
