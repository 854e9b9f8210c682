#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes the ABI of a library as text: baseline.sh libctr.so OUT. Only what the public headers show
# counts; the types behind them may change freely.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
readelf -S "$1" | grep -q '\.debug_info' || {
	echo "$1 has no debug information: abidw would see no types" >&2
	exit 1
}
# Where the library was built and what it links is nobody's ABI.
abidw --headers-dir "$top/include" --drop-private-types --no-show-locs --no-comp-dir-path \
	--no-corpus-path --no-elf-needed --exported-interfaces-only "$1" | sed "s| path='[^']*/\(lib/[^']*\)'| path='\1'|" >"$2"
