#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs a command with a store and a busybox root file system of its own, then checks that nothing is
# left of it: no process, no mount.
#	with-store.sh RUNTIME COMMAND [ARG...]
# RUNTIME is runc, crun (which gets a mount namespace where cgroup 2 is the only one) or none. The
# command finds LIBCTR_ROOT, LIBCTR_RUN_ROOT, LIBCTR_OCI and ROOTFS in its environment.
set -euo pipefail
runtime=$1
shift

if [ "$runtime" = crun ] && [ -z "${LIBCTR_TEST_CGROUP2:-}" ]; then
	export LIBCTR_TEST_CGROUP2=1
	exec unshare --mount --propagation private -- \
		sh -c 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"' sh "$0" "$runtime" "$@"
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/libctr-test.XXXXXX")
export LIBCTR_ROOT=$dir/root LIBCTR_RUN_ROOT=$dir/run ROOTFS=$dir/rootfs
if [ "$runtime" != none ]; then
	LIBCTR_OCI=$(command -v "$runtime" || echo "/usr/sbin/$runtime")
	export LIBCTR_OCI
	mkdir -p "$ROOTFS"/{bin,proc,sys,dev,etc,tmp}
	cp /bin/busybox "$ROOTFS/bin/"
	for applet in sh sleep echo cat env hostname true false touch seq id; do
		ln -s busybox "$ROOTFS/bin/$applet"
	done
fi

# Monitors and runtimes have the directory in their arguments; the root of a container is in it. Nothing
# is started here, because all processes of the machine are looked at.
belongs() {
	local args source target
	mapfile -d '' args <"$1/cmdline"
	[[ ${args[*]} == *"$dir/"* ]] && return 0
	while read -r _ _ _ source target _; do
		[[ $target == / && $source == *"${dir##*/}/rootfs" ]] && return 0
	done <"$1/mountinfo"
	return 1
}

leftovers() {
	local p
	for p in /proc/[0-9]*; do
		if [ "${p#/proc/}" != $$ ] && [ "${p#/proc/}" != 1 ] && belongs "$p"; then
			echo "${p#/proc/}: $(tr '\0' ' ' <"$p/cmdline")"
		fi
	done 2>/dev/null
}

# When a time limit ends the command, what it leaves is still cleared away.
trap : TERM INT
status=0
(cd "$dir" && "$@") || status=$?

# A monitor may need a moment to end after its container's end can be seen.
for _ in {1..50}; do
	left=$(leftovers)
	[ -z "$left" ] && break
	sleep 0.1
done
if [ -n "$left" ]; then
	echo "FAIL: processes are left:"
	echo "$left"
	while IFS=: read -r pid _; do kill -9 "$pid" || true; done <<<"$left"
	status=1
fi
# Containers that the command did not remove are its own affair, but their cgroups must not stay.
for id in "$LIBCTR_ROOT"/containers/*/; do
	id=$(basename "$id")
	[ ${#id} -lt 64 ] || find /sys/fs/cgroup -depth -type d -path "*$id*" -exec rmdir {} + || true
done
mounts=$(awk -v d="$dir/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo)
if [ -n "$mounts" ]; then
	echo "FAIL: mounts are left:"
	echo "$mounts"
	tac <<<"$mounts" | xargs -r -n1 umount -l
	status=1
fi
rm -rf --one-file-system "$dir"
exit $status
