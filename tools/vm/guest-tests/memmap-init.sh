#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The struct pages of added memory, word by word, and while CPUs come and go.
#
# arch: x86_64 arm64 ppc64le
# guest x86_64: --memory 4G --append mem=2G --append mhp.hidden=0x100000000:0x80000000
# guest arm64: --memory 4G --append mem=2G --append mhp.hidden=0xc0000000:0x40000000
# guest ppc64le: --memory 3G --append mem=1G --append mhp.hidden=0x40000000:0x80000000
# guest x86_64 arm64: --append memory_hotplug.memmap_on_memory=1
# guest ppc64le: --append memory_hotplug.memmap_on_memory=force
# guest x86_64 arm64 ppc64le: --append memory_hotplug.memmap_share=2
# What a struct page is before it is written must not be what it was the last time; and
# free pages are wiped:
# guest: --append init_on_alloc=1 --append init_on_free=1
# modules: drivers/mhp_test
# timeout: 400
exec bash /selftests/in-guest memmap-cpus.sh memmap-init.sh
