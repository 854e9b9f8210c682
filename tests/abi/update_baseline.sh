#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes tests/abi/libctr.abi anew, in the same change as the ABI change it shows:
#	tests/abi/update_baseline.sh build/lib/libctr.so
# The library must be a gcc build with debug information and without sanitizers.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
"$here/baseline.py" "${1:-$here/../../build/lib/libctr.so}" "$here/libctr.abi"
echo "wrote $here/libctr.abi; read docs/abi-policy.md on what may change"
