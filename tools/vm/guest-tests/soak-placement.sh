#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DIMMs with their memmap at the start, at random and under load: half a minute, or
# what mhp.seconds= says.
#
# suite: placement
# arch: x86_64 arm64 ppc64le
# guest: --memory 3G --nodes 2 --append memory_hotplug.memmap_on_memory=leading
# timeout: 500
exec bash /selftests/in-guest memmap-soak.sh
