#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pods on the command line: ctrctl-pod.sh PATH_OF_CTRCTL PATH_OF_HELPER. Run by with-store.sh.
set -uo pipefail
. "$(dirname "$0")/../support/expect.sh"
ctl() { "$ctrctl" --helper "$helper" "$@"; }
ctrctl=$1 helper=$2
export ctrctl helper
export -f ctl

expect 0 'pod' ctl help
expect_error 125 'what about pods' ctl pod
expect_error 125 "no command 'pod fly'" ctl pod fly
expect_error 125 'which pod' ctl pod start
expect_error 125 'ghost.*no pod' ctl pod start ghost
expect_error 125 'pod stop ghost: no pod' ctl pod stop ghost
expect_error 125 "'everything' cannot be shared" ctl pod create --share ipc,everything
expect_error 125 "option '--share' needs a value" ctl pod create --share
expect_error 125 "'soon' is not a number of seconds" ctl pod stop -t soon ghost
expect_error 125 "wrong option '-f'" ctl pod stop -f ghost
expect_error 125 "wrong option '--force'" ctl pod restart --force ghost
expect_error 125 "'HUPP' is not a signal" ctl pod kill -s HUPP ghost
expect_error 125 "but got 'ghost'" ctl pod ps ghost
expect_error 125 "'xml' is no format" ctl pod ps --format xml
expect 0 '^\[' ctl pod ps --format json
python3 -c 'import json; assert json.load(open("out.txt")) == []' || fail "not an empty list"
expect_error 125 'ExitPolicy' ctl pod create --exit-policy never

expect 0 '^[0-9a-f]{64}$' ctl pod create --name web --hostname web-host --label tier=front
id=$out
expect_error 125 'web' ctl pod create --name web
expect_error 125 'web' ctl create --name web "$ROOTFS" /bin/true
expect_error 125 'ghost.*no pod' ctl create --pod ghost "$ROOTFS" /bin/true
expect 0 '' ctl create --pod web --name one "$ROOTFS" /bin/sh -c 'hostname; while :; do sleep 0.1; done'
expect 0 '' ctl create --pod "${id:0:10}" --name two "$ROOTFS" /bin/sleep 1000
expect 0 "^${id:0:12}  web +Created +[0-9a-f]{12}  3" bash -c 'ctl pod ps | tail -n 1'
expect 0 '^web$' ctl pod start web
expect 0 ' Running ' ctl pod ps
expect 0 "^${id:0:12}$" ctl pod ps -q --filter label=tier=front --filter status=running
expect 0 '^$' ctl pod ps -q --filter status=exited
expect 0 '' ctl pod ps --format json
python3 -c 'import json,sys; [p] = json.load(open("out.txt")); assert p["Id"] == sys.argv[1] and p["Name"] == "web" and \
	p["Status"] == "Running" and p["NumContainers"] == 3 and len(p["InfraId"]) == 64 and p["Created"] > 0, p' "$id" ||
	fail "pod ps --format json is wrong"
expect 0 '' ctl pod inspect web
python3 -c 'import json; p = json.load(open("out.txt")); assert p["Name"] == "web" and p["NumContainers"] == 3 and \
	p["State"] == "Running" and all(c["State"] == "running" for c in p["Containers"])' || fail "inspect"
expect_error 125 'infra container' ctl rm -f "${id:0:12}-infra"
expect 0 '^web$' ctl pod pause web
expect 0 ' Paused ' ctl pod ps
expect 0 '^web$' ctl pod unpause web
expect 0 '^web$' ctl pod kill -s HUP web
expect 0 '^two$' ctl kill two
expect 0 ' Degraded ' ctl pod ps
expect 0 '^web$' ctl pod restart -t 1 web
expect 0 ' Running ' ctl pod ps
expect_error 125 'alive' ctl pod rm web
expect 0 '^web$' ctl pod stop -t 0 web
expect 0 ' Exited ' ctl pod ps
expect 0 '' ctl create --pod web --name bad "$ROOTFS" /bin/no-such-program
bad=$out
expect_error 125 "${bad:0:12}: " ctl pod start web
expect 0 " pod start ${id:0:12} \\(web\\)" ctl events --filter type=pod
expect 0 '^web$' ctl pod rm -f -t 1 web
expect 0 '^ID' ctl ps -a
[ "$(wc -l <out.txt)" = 1 ] || fail "a container is left"
[ -z "$(find /sys/fs/cgroup -name "*$id*")" ] || fail "a cgroup is left"
finish
