#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What range-failure.sh does, with the hash MMU of powerpc instead of radix.
#
# arch: ppc64le
# guest: --memory 3G --append mem=1G --append mhp.hidden=0x40000000:0x80000000
# guest: --append disable_radix --append memory_hotplug.memmap_on_memory=force
# timeout: 1000
exec bash /selftests/in-guest range-failure.sh
