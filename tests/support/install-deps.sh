#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what libctr needs on Debian 12, as root. This is the one list of packages.
#	install-deps.sh          to build it and to run containers
#	install-deps.sh tests    and to run all tests
set -eu

build="gcc libc6-dev meson ninja-build pkg-config python3 liblmdb-dev libyajl-dev libcap-dev libselinux1-dev"
# busybox-static: the root file system of the examples
run="conmon runc crun busybox-static"
# podman: inspect is compared with it; python3-docker: a client of Docker's API
tests="libcmocka-dev podman python3-docker golang-github-opencontainers-specs-dev python3-jsonschema g++ clang libclang-rt-dev llvm clang-format valgrind abigail-tools"

packages="$build $run"
[ "${1:-}" = tests ] && packages="$packages $tests"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # the words are meant to be split
apt-get install -y -qq --no-install-recommends $packages >/dev/null
