#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The library from Python, without a compiler: ctypes.sh CTYPES_LIST.PY CTRCTL. Run by with-store.sh.
set -uo pipefail
. "$(dirname "$0")/../support/expect.sh"
list=$1 ctrctl=$2

expect 0 '^NO_SUCH_CTR: .*no-such-container' python3 "$list"
expect 0 '^[0-9a-f]{64}$' "$ctrctl" create --name one --label a=b "$ROOTFS" /bin/true
id=$out
expect 0 "^${id:0:12} one created" python3 "$list"
expect 0 "^${id:0:12} one created" python3 "$list" label=a=b name=on
expect 0 '^NO_SUCH_CTR' python3 "$list" state=running
expect 0 '^INVALID: .*colour' python3 "$list" colour=red
expect 0 '^one$' "$ctrctl" rm one
expect 0 '^INVALID: .*relative' env LIBCTR_ROOT=relative python3 "$list"
finish
