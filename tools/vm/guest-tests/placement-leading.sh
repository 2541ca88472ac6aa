#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The memmap of a DIMM at its start.
#
# arch: x86_64 arm64 ppc64le
# guest: --memory 4G --nodes 2 --append memory_hotplug.memmap_on_memory=leading
# timeout: 600
exec bash /selftests/in-guest memmap-placement.sh
