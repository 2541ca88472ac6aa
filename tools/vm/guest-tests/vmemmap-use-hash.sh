#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The ranges of vmemmap-use.sh, with the hash MMU of powerpc instead of radix.
#
# arch: ppc64le
# guest: --memory 3G --append mem=1G --append mhp.hidden=0x40000000:0x80000000
# guest: --append disable_radix --append memory_hotplug.memmap_on_memory=force
# timeout: 900
exec bash /selftests/in-guest vmemmap-use.sh
