#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds everything in every way that counts and runs all tests. As root; needs what
# "install-deps.sh tests" installs. The last line is the sum over all runs:
#	N passed, N failed, N skipped
# A build that fails counts as a failed test. Exits with 1 if anything failed or was skipped.
#
#	run-all.sh [STAGE...]    stages: gcc asan tsan clang valgrind fuzz; default: all
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
builds=${LIBCTR_BUILDS:-build-all}
stages=${*:-gcc asan tsan clang valgrind fuzz}
log_list=$(mktemp)
builder_pid=
trap 'rm -f "$log_list"; [ -z "$builder_pid" ] || kill "$builder_pid" 2>/dev/null' EXIT

export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:detect_leaks=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

# ---- building ----

# configure STAGE COMPILER OPTION...
configure() {
	local dir=$builds/$1 cc=$2
	shift 2
	rm -rf "$dir"
	CC=$cc meson setup "$dir" --werror -Dtests=enabled "$@"
}

# What is only run once need not be fast, and what a sanitizer says needs lines but no types. Half of the linking, which
# is a fifth of all this, is saved by the linker.
sanitized() {
	CC_LD=gold configure "$1" clang "-Db_sanitize=$2" -Db_lundef=false -Dexamples=false -Doptimization=1 -Ddebug=false \
		-Dc_args=-gline-tables-only "${@:3}"
}

setup_gcc() { configure gcc gcc -Dstatic=true; }
setup_clang() { configure clang clang -Dstatic=true; }
setup_asan() { sanitized asan address,undefined; }
setup_tsan() { sanitized tsan thread; }
setup_fuzz() { sanitized fuzz address,undefined -Dfuzz=true; }

# build NAME: "NAME built" or "NAME failed" on stdout, what went wrong on stderr.
build() {
	local dir=$builds/$1 begin=$SECONDS
	if { "setup_$1" && meson compile -C "$dir"; } >"$dir.log" 2>&1; then
		echo "$1 built $((SECONDS - begin))"
	else
		tail -n 40 "$dir.log" >&2
		echo "$1 failed $((SECONDS - begin))"
	fi
}

# The builds of the stages, in their order, ahead of the tests: compilers compute and tests mostly wait. They give
# way to the tests, but for the first, which somebody waits for.
build_ahead() {
	local name first=1 seen=" "
	for name in "$@"; do
		[ "$name" = valgrind ] && name=gcc
		[[ $seen == *" $name "* ]] && continue
		seen+="$name "
		build "$name"
		[ -z "$first" ] || renice -n 5 -p "$BASHPID" >/dev/null
		first=
	done
}

# await NAME: until it is built. Its result is remembered.
declare -A built=()
await() {
	local name result took
	while [ -z "${built[$1]:-}" ] && read -r name result took <&"$builder"; do
		built[$name]=$result
		echo "== $builds/$name $result in $took s"
		[ "$result" = built ] || echo "BUILD-FAILED" >>"$log_list"
	done
	[ "${built[$1]:-}" = built ]
}

# ---- testing ----

# run NAME LOG OPTION...: runs tests of a build. Most of them wait for processes most of the time, so there are more at
# once than processors.
run() {
	local dir=$builds/$1 log=$2
	shift 2
	echo "== testing $dir $*"
	rm -f "$dir/meson-logs/$log.json"
	meson test -C "$dir" --no-rebuild --print-errorlogs --logbase "$log" --num-processes $(($(nproc) * 2)) \
		--timeout-multiplier 3 "$@" {builder}<&-
	echo "$dir/meson-logs/$log.json" >>"$log_list"
}

# Everything, and what is long in full.
stage_gcc() { run gcc testlog; }
# What another compiler might have got wrong.
stage_clang() { run clang testlog --no-suite source --no-suite integration --no-suite fault --no-suite stress; }
# Everything that works with memory; the storms are for races.
stage_asan() { run asan testlog --no-suite source --no-suite stress; }
# What has threads.
stage_tsan() { run tsan testlog --suite unit --suite api --suite stress --suite threads; }

# What links the internal library or the fakes; real containers ran under ASan. valgrind 3.19 does not know
# pidfd_open() and does not survive a failed execve(), which the tests left out are about. LMDB keeps pointers
# into the middle of its blocks, which valgrind calls "possibly lost" in children that end without closing: only
# what is definitely lost counts.
stage_valgrind() {
	local names
	names=$(meson test -C "$builds/gcc" --no-rebuild --list --suite unit --suite api 2>/dev/null |
		sed -n 's|^libctr:[a-z+]* / ||p' | grep -vx -e oci-exit -e oci-faststart -e oci-processes -e sys-pidfd -e sys-proc \
			-e sys-proc_tree -e spec-hooks)
	# meson adds the wrapper's name to that of the log
	# shellcheck disable=SC2086 # the names are meant to be split
	run gcc testlog-valgrind --logbase testlog --wrapper \
		'valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite' \
		$names
}

stage_fuzz() { run fuzz testlog --suite fuzz; }

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
# shellcheck disable=SC2086 # the stages are meant to be split
exec {builder}< <(build_ahead $stages)
builder_pid=$!
summary=
for stage in $stages; do
	begin=$SECONDS
	name=${stage/valgrind/gcc}
	await "$name" && "stage_$stage"
	summary+=" $stage $((SECONDS - begin)) s,"
	echo "== $stage took $((SECONDS - begin)) s"
done
echo "==${summary%,}; $SECONDS s in all"
totals
