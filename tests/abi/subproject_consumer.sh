#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds pkgconfig/consumer.c in a meson project that has libctr as a subproject.
#	subproject_consumer.sh SOURCE_DIR
set -eu
source=$1
host=$(mktemp -d)
trap 'rm -rf "$host"' EXIT

mkdir "$host/subprojects"
ln -s "$source" "$host/subprojects/libctr"
cp "$source/pkgconfig/consumer.c" "$host/"
cat >"$host/meson.build" <<'END'
project('host', 'c')
executable('consumer', 'consumer.c', dependencies: dependency('libctr', fallback: 'libctr'))
END
if ! { meson setup "$host/build" "$host" --wrap-mode=forcefallback -Dbuildtype=plain &&
	meson compile -C "$host/build"; } >"$host/log" 2>&1; then
	cat "$host/log"
	exit 1
fi
if [ -e "$host/build/subprojects/libctr/tests" ] || [ -e "$host/build/subprojects/libctr/examples" ]; then
	echo "FAIL: a subproject builds its tests or examples"
	exit 1
fi
"$host/build/consumer"
