#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds everything in every way that counts and runs all tests. As root; needs what
# "install-deps.sh tests" installs. The last line is the sum over all runs:
#	N passed, N failed, N skipped
# A build that fails counts as a failed test. Exits with 1 if anything failed or was skipped.
#
#	run-all.sh [STAGE...]    stages: gcc clang asan tsan valgrind fuzz; default: all
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
builds=${LIBCTR_BUILDS:-build-all}
stages=${*:-gcc clang asan tsan valgrind fuzz}
log_list=$(mktemp)
trap 'rm -f "$log_list"' EXIT

export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:detect_leaks=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

# build STAGE COMPILER OPTION...: configures and compiles.
build() {
	local dir=$builds/$1 cc=$2
	shift 2
	rm -rf "$dir"
	echo "== building $dir"
	CC=$cc meson setup "$dir" --werror -Dtests=enabled "$@" >"$dir.log" 2>&1 &&
		meson compile -C "$dir" >>"$dir.log" 2>&1 && return 0
	tail -n 40 "$dir.log"
	echo "BUILD FAILED: $dir"
	echo "BUILD-FAILED" >>"$log_list"
	return 1
}

# run STAGE LOG OPTION...: runs tests of a build.
run() {
	local dir=$builds/$1 log=$2
	shift 2
	echo "== testing $dir $*"
	rm -f "$dir/meson-logs/$log.json"
	meson test -C "$dir" --no-rebuild --print-errorlogs --logbase "$log" "$@"
	echo "$dir/meson-logs/$log.json" >>"$log_list"
}

sanitized() {
	build "$1" clang "-Db_sanitize=$2" -Db_lundef=false && run "$1" testlog
}

stage_gcc() { build gcc gcc -Dstatic=true && run gcc testlog; }
stage_clang() { build clang clang -Dstatic=true && run clang testlog; }
stage_asan() { sanitized asan address,undefined; }
stage_tsan() { sanitized tsan thread; }

# What links the internal library or the fakes; real containers ran under ASan. valgrind 3.19 does not know
# pidfd_open() and does not survive a failed execve(), which the tests left out are about. LMDB keeps pointers
# into the middle of its blocks, which valgrind calls "possibly lost" in children that end without closing: only
# what is definitely lost counts.
stage_valgrind() {
	local names
	[ -d "$builds/gcc" ] || build gcc gcc -Dstatic=true || return
	names=$(meson test -C "$builds/gcc" --no-rebuild --list --suite unit --suite api 2>/dev/null |
		sed -n 's|^libctr:[a-z+]* / ||p' | grep -vx -e oci-exit -e oci-faststart -e oci-processes -e sys-pidfd -e sys-proc \
			-e sys-proc_tree -e spec-hooks)
	# meson adds the wrapper's name to that of the log
	# shellcheck disable=SC2086 # the names are meant to be split
	run gcc testlog-valgrind --logbase testlog --timeout-multiplier 3 --wrapper \
		'valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite' \
		$names
}

stage_fuzz() {
	build fuzz clang -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false &&
		run fuzz testlog --suite fuzz
}

totals() {
	python3 - "$log_list" <<'END'
import json, sys

passed = failed = skipped = 0
for path in open(sys.argv[1]).read().split():
    if path == "BUILD-FAILED":
        failed += 1
        continue
    try:
        results = [json.loads(line)["result"] for line in open(path)]
    except OSError:
        print(f"NO RESULTS: {path}")
        failed += 1
        continue
    if not results:
        print(f"NO TESTS RAN: {path}")
        failed += 1
    for r in results:
        if r in ("OK", "EXPECTEDFAIL"):
            passed += 1
        elif r == "SKIP":
            skipped += 1
        else:
            failed += 1
print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
sys.exit(failed > 0 or skipped > 0 or passed == 0)
END
}

mkdir -p "$builds"
for stage in $stages; do
	begin=$SECONDS
	"stage_$stage"
	echo "== $stage took $((SECONDS - begin)) s"
done
totals
