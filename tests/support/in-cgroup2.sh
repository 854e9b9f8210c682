#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a command where cgroup 2 is all there is: in a mount namespace of its own with nothing else at
# /sys/fs/cgroup. For runtimes that cannot work with cgroup 1; on a host with cgroup 2 only it changes
# nothing that counts.
#	in-cgroup2.sh COMMAND [ARG...]
set -eu
# shellcheck disable=SC2016
exec unshare --mount --propagation private -- sh -eu -c '
umount -R /sys/fs/cgroup 2>/dev/null || umount -R -l /sys/fs/cgroup 2>/dev/null || :
mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec "$@"' sh "$@"
