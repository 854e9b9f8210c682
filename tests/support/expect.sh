# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For test scripts: runs a command and compares its output and exit code. Sourced.

failures=0

fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

# expect CODE PATTERN COMMAND...: the exit code is CODE and the standard output matches the regular
# expression. Afterwards: $out, $errors.
expect() {
	local want=$1 pattern=$2 got=0
	shift 2
	"$@" >out.txt 2>errors.txt || got=$?
	out=$(cat out.txt)
	errors=$(cat errors.txt)
	if [ $got -ne "$want" ]; then
		fail "$*: exit code $got, not $want"
	elif [[ ! $out =~ $pattern ]]; then
		fail "$*: output is not '$pattern'"
	else
		echo "ok: $*"
		return 0
	fi
	sed 's/^/	out: /' out.txt
	sed 's/^/	err: /' errors.txt
}

# expect_error CODE PATTERN COMMAND...: the same for the standard error.
expect_error() {
	local want=$1 pattern=$2
	shift 2
	expect "$want" '' "$@"
	[[ $errors =~ $pattern ]] || fail "$*: says '$errors', not '$pattern'"
}

# finish: the exit code of the script.
finish() {
	[ $failures -eq 0 ] && return 0
	echo "$failures failure(s)"
	return 1
}
