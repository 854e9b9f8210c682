#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a command with a journal of its own: systemd-journald in a private mount namespace, which nobody else can see or
# write to, and which ends with the command.
#	with-journal.sh COMMAND [ARG...]
set -eu
# shellcheck disable=SC2016
exec unshare --mount --propagation private -- sh -eu -c '
mkdir -p /run/systemd /run/log /var/log
mount -t tmpfs -o mode=755 tmpfs /run/systemd
mount -t tmpfs -o mode=755 tmpfs /run/log
[ ! -d /var/log/journal ] || mount -t tmpfs -o mode=755 tmpfs /var/log/journal
mkdir -p /run/systemd/journal /run/systemd/journald.conf.d
printf "[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nForwardToSyslog=no\nForwardToWall=no\nRateLimitIntervalSec=0\n" \
	>/run/systemd/journald.conf.d/test.conf
if [ ! -s /etc/machine-id ]; then
	echo 0123456789abcdef0123456789abcdef >/run/systemd/machine-id
	touch /etc/machine-id
	mount --bind /run/systemd/machine-id /etc/machine-id
fi
/lib/systemd/systemd-journald >/dev/null 2>&1 &
journald=$!
trap "kill $journald 2>/dev/null; wait $journald || :" EXIT
tries=0
while [ ! -S /run/systemd/journal/io.systemd.journal ] || [ ! -S /run/systemd/journal/socket ]; do
	tries=$((tries + 1))
	[ $tries -lt 500 ] || { echo "journald does not start" >&2; exit 1; }
	sleep 0.02
done
"$@"' sh "$@"
