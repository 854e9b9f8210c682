#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every example does what it says: examples.sh DIRECTORY_OF_EXAMPLES. Run by with-store.sh.
set -uo pipefail
. "$(dirname "$0")/../support/expect.sh"
bin=$1

expect 3 '^hello$' "$bin/run" "$ROOTFS" /bin/sh -c 'echo hello; exit 3'
expect 1 '' "$bin/run" "$ROOTFS" /no/such/command
[[ $errors =~ no/such/command ]] || fail "run does not say what was not found: $errors"
expect 1 '' "$bin/run" /no/such/directory /bin/true
[[ $errors =~ no/such/directory ]] || fail "run does not say which directory: $errors"
expect 2 '' "$bin/run"

expect 0 '^0 container\(s\)$' "$bin/list"
expect 0 '^process [0-9]+ was running, then paused, then running$' "$bin/batch" "$ROOTFS"

expect 0 '' "$bin/wait_poll" "$ROOTFS"
for i in 0 1 2; do
	grep -qx "poll-$i ended with code 4$i" out.txt || fail "poll-$i: not seen to end"
	for e in create start died remove; do
		[ "$(grep -cx "poll-$i: $e" out.txt)" = 1 ] || fail "poll-$i: not one event $e"
	done
done

expect 0 '^the timer ended with code 7$' "$bin/custom_runtime"

expect 0 '\[stdout\] line 3' "$bin/demo"
for e in create init start 'died, exit code 42' remove; do
	grep -q "\[event\] $e" out.txt || fail "demo: no event $e"
done
grep -q '\[stderr\] that was all' out.txt || fail "demo: standard error is missing"
[ "$(grep -n 'line 1' out.txt | cut -d: -f1)" -lt "$(grep -n 'died' out.txt | cut -d: -f1)" ] ||
	fail "demo: the output came after the end"

expect 0 '^0 container\(s\)$' "$bin/list"
finish
