#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Holes in boot memory, smaller and larger than a subsection, and device memory
# inside a section that is RAM otherwise. The debug kernel checks at boot, and at
# each step, that no zone with a hole counts as contiguous.
#
# arch: x86_64
# guest: --memory 2G --nodes 2 --dimm 1G,node=1
# guest: --append memmap=64K$0x10010000 --append memmap=6M$0x20100000
# guest: --append memmap=34M!0x30200000
# timeout: 600
exec bash /selftests/in-guest device-span.sh online-offline-random.sh zone-accounting.sh
