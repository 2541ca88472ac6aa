#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Memory blocks online and offline: states, zones, counts, garbage.
#
# arch: x86_64 arm64 ppc64le
# guest: --memory 8G --nodes 2
# guest x86_64 arm64: --dimm 1G,node=0 --dimm 1G,node=1
# timeout: 600
exec bash /selftests/in-guest online-offline-random.sh online-kernel-movable.sh zone-accounting.sh garbage-writes.sh alloc-failure.sh
