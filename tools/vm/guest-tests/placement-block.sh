#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The memmap of a DIMM in each of its memory blocks.
#
# arch: x86_64 arm64 ppc64le
# guest: --memory 4G --nodes 2 --append memory_hotplug.memmap_on_memory=force
# timeout: 600
exec bash /selftests/in-guest memmap-placement.sh
