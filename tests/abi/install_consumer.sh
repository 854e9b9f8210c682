#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the build to a fresh prefix and builds pkgconfig/consumer.c with what libctr.pc says there,
# as a packager's user would.
#	install_consumer.sh BUILD_DIR SOURCE_DIR PREFIX CC
set -eu
build=$1 source=$2 prefix=$3 cc=$4
dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT

meson install -C "$build" --no-rebuild --quiet --destdir "$dest" >"$dest/install.log" 2>&1 || {
	cat "$dest/install.log"
	exit 1
}
pc=$(find "$dest" -name libctr.pc)
lib=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH="${pc%/*}"
# Staged: the prefix inside the file is the final one.
config() { pkg-config --define-variable=prefix="$dest$prefix" "$@" libctr; }

[ -z "$(pkg-config --print-requires libctr)" ] || {
	echo "FAIL: Requires is not empty: $(pkg-config --print-requires libctr)"
	exit 1
}
for v in api_level ops_level; do
	[ -n "$(pkg-config --variable=$v libctr)" ] || {
		echo "FAIL: libctr.pc has no $v"
		exit 1
	}
done
case $(config --libs) in
*lmdb* | *yajl* | *selinux* | *-lcap*)
	echo "FAIL: --libs shows what is behind libctr: $(config --libs)"
	exit 1
	;;
esac

# shellcheck disable=SC2046 # the words are meant to be split
$cc -std=c99 -Wall -Wextra -Werror -pedantic -o "$dest/consumer" "$source/pkgconfig/consumer.c" \
	$(config --cflags --libs)
LD_LIBRARY_PATH="$lib" "$dest/consumer"

# The program of README.md, as it is printed there.
sed -n '/^```c$/,/^```$/p' "$source/README.md" | sed '1d;$d' >"$dest/readme.c"
# shellcheck disable=SC2046
$cc -std=c99 -Wall -Wextra -Werror -pedantic -o "$dest/readme" "$dest/readme.c" $(config --cflags --libs)

if [ -f "$lib/libctr.a" ]; then
	# shellcheck disable=SC2046
	$cc -std=c99 -o "$dest/consumer-static" "$source/pkgconfig/consumer.c" \
		$(config --cflags) "$lib/libctr.a" $(config --static --libs-only-l | sed 's/-lctr//')
	"$dest/consumer-static"
fi

for h in $(cd "$source/include" && find libctr -name '*.h'); do
	[ -f "$dest$prefix/include/$h" ] || {
		echo "FAIL: $h is not installed"
		exit 1
	}
done
echo "ok: $(config --cflags --libs)" | sed "s|$dest||g"
