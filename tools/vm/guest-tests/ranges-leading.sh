#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The ranges of ranges.sh with their memmap at the start: what is refused, and one
# allocation after the other that fails, where the kernel can do that.
#
# suite: placement
# arch: x86_64 arm64 ppc64le
# guest x86_64: --memory 4G --append mem=2G --append mhp.hidden=0x100000000:0x80000000
# guest arm64: --memory 4G --append mem=2G --append mhp.hidden=0xc0000000:0x20000000
# guest ppc64le: --memory 3G --append mem=1G --append mhp.hidden=0x40000000:0x80000000
# guest x86_64 arm64: --append memory_hotplug.memmap_on_memory=leading
# guest ppc64le: --append memory_hotplug.memmap_on_memory=leading
# timeout: 1000
exec bash /selftests/in-guest range-refusals.sh range-failure.sh
