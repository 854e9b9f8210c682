#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The ABI of the library is the committed one: check_abi.sh libctr.so. Any difference fails, harmless
# ones too, because abidiff cannot tell them apart reliably.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ ! -s "$here/libctr.abi" ]; then
	echo "FAIL: there is no baseline; make it with tests/abi/update_baseline.sh $1"
	exit 1
fi
now=$(mktemp)
trap 'rm -f "$now"' EXIT
"$here/baseline.py" "$1" "$now"
status=0
abidiff "$here/libctr.abi" "$now" || status=$?
if [ $status -ne 0 ]; then
	echo "FAIL: the ABI is not the one in tests/abi/libctr.abi (abidiff: $status). If the change is meant"
	echo "and docs/abi-policy.md allows it: tests/abi/update_baseline.sh $1"
	exit 1
fi
echo "ok: the ABI is the committed one"
