#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Pmem as RAM, with its memmap where the device asks for it, through daxctl, lsmem
# and chmem.
#
# arch: x86_64
# guest: --memory 4G --append memmap=1G!0x140000000 --append memory_hotplug.memmap_on_memory=1
# timeout: 600
exec bash /selftests/in-guest memmap-dax.sh
