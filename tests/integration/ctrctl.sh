#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The command-line engine, command by command: ctrctl.sh PATH_OF_CTRCTL PATH_OF_HELPER. Run by with-store.sh.
set -uo pipefail
. "$(dirname "$0")/../support/expect.sh"
ctrctl=$1

# help and wrong use
expect 0 'inspect-state' "$ctrctl" help
expect 0 '--memory' "$ctrctl" help run
expect 0 'libctr 0\.' "$ctrctl" version
expect_error 125 "no command 'fly'" "$ctrctl" fly
expect_error 125 "wrong option '--wings'" "$ctrctl" run --wings
expect_error 125 'needs a root directory' "$ctrctl" run "$ROOTFS"
expect_error 125 "option '--memory' needs a value" "$ctrctl" run --memory
expect_error 125 "option '--root' needs a value" "$ctrctl" --root
expect_error 125 "option '-t' needs a value" "$ctrctl" stop -t
expect_error 125 "wrong option '-x'" "$ctrctl" rm -xf ghost
expect_error 125 "'lots' makes no sense" "$ctrctl" run --memory lots "$ROOTFS" /bin/true
expect_error 125 'cannot write to standard output' bash -c "'$ctrctl' ps >/dev/full"
expect_error 125 'no/such/dir' "$ctrctl" run /no/such/dir /bin/true
expect_error 125 'which container' "$ctrctl" stop
expect_error 125 'ghost.*no.*container' "$ctrctl" start ghost
expect_error 125 "'HUPP' is not a signal" "$ctrctl" kill -s HUPP ghost

# run: streams, exit codes, options
expect 0 '^out$' "$ctrctl" run --rm "$ROOTFS" /bin/sh -c 'echo out; echo err >&2'
[ "$errors" = err ] || fail "standard error is '$errors'"
expect 7 '^$' "$ctrctl" run --rm "$ROOTFS" /bin/sh -c 'exit 7'
expect 137 '' "$ctrctl" run --rm "$ROOTFS" /bin/sh -c 'sleep 100 & kill -9 $! ; wait $!'
expect_error 255 'its time was over' "$ctrctl" run --rm --timeout 1 "$ROOTFS" /bin/sleep 1000
expect_error 125 '/no/such:/there: No such file' "$ctrctl" run --rm --volume /no/such:/there "$ROOTFS" /bin/true
expect 0 '^/mnt/bin$' "$ctrctl" run --rm --volume "$ROOTFS:/mnt:ro" "$ROOTFS" /bin/busybox ls -d /mnt/bin
expect_error 127 'no/such' "$ctrctl" run --rm "$ROOTFS" /no/such/command
touch "$ROOTFS/bin/not-executable"
# crun does not say what it was that it may not execute
expect_error 126 'not-executable|Permission denied' "$ctrctl" run --rm "$ROOTFS" /bin/not-executable
expect 0 '^no newline$' "$ctrctl" run --rm "$ROOTFS" /bin/sh -c 'echo -n "no "; echo -n newline'
[ "$(stat -c %s out.txt)" = 10 ] || fail "a newline was added"
expect 0 '' "$ctrctl" run --rm "$ROOTFS" /bin/sh -c 'seq 1 20000'
[ "$(md5sum <out.txt)" = "$(seq 1 20000 | md5sum)" ] || fail "20000 lines came out changed"
expect 0 '' "$ctrctl" run --rm "$ROOTFS" /bin/sh -c 'seq -s , 1 20000'
[ "$(md5sum <out.txt)" = "$(seq -s , 1 20000 | md5sum)" ] || fail "a long line came out changed"
expect 0 'K=V' "$ctrctl" run --rm --env K=V "$ROOTFS" /bin/env
expect 0 '^box$' "$ctrctl" run --rm --hostname box "$ROOTFS" /bin/hostname
expect 1 '' "$ctrctl" run --rm --read-only "$ROOTFS" /bin/touch /file
expect 0 '' "$ctrctl" run --rm --net=none "$ROOTFS" /bin/true
expect 0 '' "$ctrctl" run --rm --net=host "$ROOTFS" /bin/true
if [ -d /sys/fs/cgroup/memory ] || grep -qw memory /sys/fs/cgroup/cgroup.controllers; then
	expect 0 '' "$ctrctl" run --rm --memory 64m "$ROOTFS" /bin/true
else # cgroup 2 beside a memory controller that belongs to cgroup 1
	expect_error 127 'memory' "$ctrctl" run --rm --memory 64m "$ROOTFS" /bin/true
fi
expect_error 125 "'bridge' makes no sense" "$ctrctl" run --net=bridge "$ROOTFS" /bin/true
expect 0 '^ID' "$ctrctl" ps -a
[ "$(wc -l <out.txt)" = 1 ] || fail "a container is left"

# a life in steps
expect 0 '^[0-9a-f]{64}$' "$ctrctl" create --name web --label tier=front "$ROOTFS" \
	/bin/sh -c 'trap "exit 5" TERM; while :; do sleep 0.1; done'
id=$out
expect_error 125 'web' "$ctrctl" create --name web "$ROOTFS" /bin/true
expect 0 "^${id:0:12}  web +created " bash -c "'$ctrctl' ps -a | tail -n 1"
expect 0 '^web$' "$ctrctl" start web
expect_error 125 'ctrctl: start web: .*running' "$ctrctl" start web
expect 0 "^${id:0:12}  web +running +[0-9]+ " bash -c "'$ctrctl' ps | tail -n 1"
expect 0 "^$id$" "$ctrctl" ps -q --no-trunc --filter label=tier=front --filter state=running
expect 0 '^$' "$ctrctl" ps -q --filter label=tier=back
expect 0 '"[Ss]tate"' "$ctrctl" inspect-state "${id:0:8}"
python3 -c 'import json; json.load(open("out.txt"))' || fail "inspect-state is not JSON"
expect 0 '"Name": "web",' "$ctrctl" inspect --size "${id:0:8}"
python3 -c 'import json; [c] = json.load(open("out.txt")); c["SizeRootFs"] > 0 or exit(1)' || fail "inspect"
expect 125 '"Status": "running",' "$ctrctl" inspect web ghost
python3 -c 'import json; [c] = json.load(open("out.txt"))' || fail "inspect of two, one missing"
expect 125 '^\[\]$' "$ctrctl" inspect ghost
expect_error 125 'takes no argument' "$ctrctl" inspect -a web
expect 0 '"tier": "front"' "$ctrctl" inspect --all
expect 0 '^web$' "$ctrctl" pause web
expect 0 ' paused ' "$ctrctl" ps
expect_error 125 'paused' "$ctrctl" pause web
expect 0 '^web$' "$ctrctl" unpause web
expect_error 125 'running' "$ctrctl" rm web
expect 0 '^web$' "$ctrctl" stop -t 10 web
expect 0 '^5$' "$ctrctl" wait web
expect 0 '^web$' "$ctrctl" start web
expect 0 '^web$' "$ctrctl" kill -s KILL web
expect 0 '^137$' "$ctrctl" wait web
expect 0 '^web$' "$ctrctl" start web
expect 0 '^web$' "$ctrctl" rm -f web
[ -z "$(find /sys/fs/cgroup -name "*$id*")" ] || fail "a cgroup is left"
expect_error 125 'no' "$ctrctl" rm web

# changing one that exists, and clearing up
changed=$("$ctrctl" create --name old "$ROOTFS" /bin/sh -c 'exit 4')
expect 0 '^$' "$ctrctl" rename old new
expect 0 ' new +created ' "$ctrctl" ps -a
expect_error 125 'ctrctl: rename old: ' "$ctrctl" rename old other
expect_error 125 'are needed' "$ctrctl" rename new
expect 0 '^new$' "$ctrctl" update --memory 64m --memory-swap -1 --cpu-shares 512 --restart on-failure:3 \
	--env COLOUR=red --unsetenv TERM new
expect 0 '"Memory": 67108864' "$ctrctl" inspect new
expect 0 '"MaximumRetryCount": 3' "$ctrctl" inspect new
expect_error 125 'must change something' "$ctrctl" update new
expect_error 125 "--memory: 'lots' makes no sense" "$ctrctl" update --memory lots new
expect_error 125 "wrong option '--colour'" "$ctrctl" update --colour red new
expect_error 125 'is no restart policy' "$ctrctl" update --restart often new
expect 0 '^new$' "$ctrctl" refresh new
expect 0 '^$' "$ctrctl" prune --filter until=1h
expect_error 125 'is no time' "$ctrctl" prune --filter until=soon
expect 0 "^$changed$" "$ctrctl" prune --filter name=new
changed=$("$ctrctl" create --name bad "$ROOTFS" /bin/true)
expect 0 "^$changed$" "$ctrctl" evict bad
expect_error 125 'ctrctl: evict bad: ' "$ctrctl" evict bad

# what happened
expect 0 ' create .*web' "$ctrctl" events --filter container="$id"
expect 0 'died .*exit code 5' "$ctrctl" events --since 1h --filter event=died
expect 0 '"Status":"died"' "$ctrctl" events --format json --filter event=died
while read -r line; do
	python3 -c 'import json,sys; json.loads(sys.argv[1])' "$line" || fail "no JSON: $line"
done <out.txt
expect 0 ' create ' "$ctrctl" events --until 1h
expect 0 '^$' "$ctrctl" events --filter until=-1h
expect 0 '^$' timeout 20 "$ctrctl" events --follow --until 1s --filter event=pause
expect_error 125 "'soon' is no time" "$ctrctl" events --since soon
expect_error 125 'until=soon" is no time' "$ctrctl" events --until soon
expect_error 125 "'xml' is no format" "$ctrctl" events --format xml
"$ctrctl" events --follow --filter event=create >followed.txt &
job=$!
for n in {1..600}; do
	"$ctrctl" create --name "follow$n" "$ROOTFS" /bin/true >/dev/null
	"$ctrctl" rm "follow$n" >/dev/null
	[ -s followed.txt ] && break
	sleep 0.05
done
kill -TERM $job
wait $job || fail "events --follow ended with $?"
grep -q ' create .*follow' followed.txt || fail "nothing was followed"

# for programs
expect 0 '^\[' "$ctrctl" ps --format json
[ "$(python3 -c 'import json; print(json.load(open("out.txt")))')" = '[]' ] || fail "not an empty list"
expect 0 '' "$ctrctl" create --name 'json' --label 'a=b' "$ROOTFS" /bin/echo 'a "quoted" \ one'
expect 0 '"Name": "json"' "$ctrctl" ps -a --format json
python3 -c 'import json; l = json.load(open("out.txt")); assert l[0]["State"] == "created" and "quoted" in l[0]["Command"], l' ||
	fail "ps --format json is wrong"
expect 0 '' "$ctrctl" rm json

# detached, and several at once
expect 0 '^[0-9a-f]{64}$' "$ctrctl" run --detach --name one "$ROOTFS" /bin/sleep 1000
expect 0 '^[0-9a-f]{64}$' "$ctrctl" run --detach --name two "$ROOTFS" /bin/sleep 1000
expect 125 '^one.two$' "$ctrctl" stop -t 0 one ghost two
expect 0 '^137.137$' "$ctrctl" wait one two
expect 0 '^one.two$' "$ctrctl" rm one two

# restarts by hand and by policy, and what goes by itself
export LIBCTR_HELPER=$2
await() { # await PATTERN COMMAND...
	local pattern=$1
	shift
	for _ in {1..600}; do
		[[ $("$@" 2>/dev/null) =~ $pattern ]] && return 0
		sleep 0.05
	done
	fail "$*: never '$pattern'"
}
expect_error 125 'sometimes' "$ctrctl" create --restart sometimes "$ROOTFS" /bin/true
expect_error 125 "'on-failure:x' makes no sense" "$ctrctl" create --restart on-failure:x "$ROOTFS" /bin/true
expect 0 '' "$ctrctl" run --detach --name again --restart on-failure:2 "$ROOTFS" /bin/false
await '"restartCount":2' "$ctrctl" inspect-state again
await '"status":"exited"' "$ctrctl" inspect-state again
expect 0 '"restartCount":2' "$ctrctl" inspect-state again
expect 0 '^again$' "$ctrctl" rm again
expect 0 '' "$ctrctl" run --detach --name again --restart unless-stopped "$ROOTFS" /bin/sleep 1000
expect 0 '^again$' "$ctrctl" restart -t 0 again
expect 0 ' running ' "$ctrctl" ps
expect 0 '^again$' "$ctrctl" stop -t 0 again
expect 0 '^again$' "$ctrctl" restart --running again
expect 0 '^ID[^\n]*$' "$ctrctl" ps
expect 0 '' "$ctrctl" boot
expect 0 '^ID[^\n]*$' "$ctrctl" ps
expect 0 '^again$' "$ctrctl" restart again
expect 0 '^again$' "$ctrctl" rm -f again
expect 0 '' "$ctrctl" run --detach --rm --name passing "$ROOTFS" /bin/true
await '^$' "$ctrctl" ps -aq

# containers that depend on others
expect 0 '' "$ctrctl" create --name base "$ROOTFS" /bin/sleep 1000
base=$out
expect_error 125 'ghost.*no container' "$ctrctl" create --requires ghost "$ROOTFS" /bin/true
expect_error 125 'ghost.*no container' "$ctrctl" create --net container:ghost "$ROOTFS" /bin/true
expect_error 125 'empty' "$ctrctl" create --net container: "$ROOTFS" /bin/true
expect 0 '' "$ctrctl" create --name top --requires base --net "container:${base:0:10}" "$ROOTFS" /bin/sleep 1000
expect 0 "\"NetworkMode\": \"container:$base\"" "$ctrctl" inspect top
expect_error 125 "do not run: base" "$ctrctl" start top
expect 0 '^top$' "$ctrctl" start --recursive top
expect 0 'base' "$ctrctl" ps --filter state=running --filter name=base
expect_error 125 'depend on it' "$ctrctl" rm -f base
expect 0 '^base$' "$ctrctl" rm -f --depend base
expect 0 '^$' "$ctrctl" ps -aq

# signals are passed on
"$ctrctl" run --name signalled "$ROOTFS" \
	/bin/sh -c 'trap "exit 9" INT; echo ready; while :; do sleep 0.1; done' >ready.txt &
job=$!
for _ in {1..600}; do
	grep -q ready ready.txt && break
	sleep 0.05
done
kill -INT $job
wait $job
[ $? -eq 9 ] || fail "SIGINT was not passed on"
expect 0 '^signalled$' "$ctrctl" rm signalled

expect 0 '^$' "$ctrctl" ps -aq
finish
