#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The kernel's own mem-on-off-test.sh where blocks hold their own memmap.
#
# suite arm64 ppc64le: placement
# arch: x86_64 arm64 ppc64le
# guest: --append movable_node
# guest x86_64 arm64: --memory 512M
# guest ppc64le: --memory 1G
# guest x86_64: --dimm 512M
# guest arm64: --dimm 512M
# guest x86_64 arm64: --append memory_hotplug.memmap_on_memory=1
# guest ppc64le: --append memory_hotplug.memmap_on_memory=force
# timeout: 600
exec bash /selftests/in-guest mem-on-off-modes.sh
