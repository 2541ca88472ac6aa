#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The same where blocks hold their own memmap.
#
# suite arm64 ppc64le: placement
# arch: x86_64 arm64 ppc64le
# guest: --memory 8G --nodes 2
# guest x86_64 arm64: --dimm 1G,node=0 --dimm 1G,node=1 --append memory_hotplug.memmap_on_memory=1
# guest ppc64le: --append memory_hotplug.memmap_on_memory=force
# timeout: 600
exec bash /selftests/in-guest online-offline-random.sh online-kernel-movable.sh zone-accounting.sh hotplug-cycle.sh
