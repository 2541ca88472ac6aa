#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The struct pages of added memory, word by word, where its memmap is at its start.
#
# suite: memmap
# arch: x86_64 arm64 ppc64le
# guest x86_64: --memory 4G --append mem=2G --append mhp.hidden=0x100000000:0x80000000
# guest arm64: --memory 4G --append mem=2G --append mhp.hidden=0xc0000000:0x40000000
# guest ppc64le: --memory 3G --append mem=1G --append mhp.hidden=0x40000000:0x80000000
# guest x86_64 arm64 ppc64le: --append memory_hotplug.memmap_on_memory=leading
# What a struct page is before it is written must not be what it was the last time:
# guest: --append init_on_alloc=1
# modules: drivers/mhp_test
# timeout: 400
exec bash /selftests/in-guest memmap-init.sh
